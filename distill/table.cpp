#include "distill/table.h"

#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

namespace retort {
namespace {

std::string formatted(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string with_thousands(double value) {
  std::string digits = formatted("%.0f", value);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

std::vector<double> gather(const ArmRuns& row, const std::function<double(const RunResult&)>& of) {
  std::vector<double> values;
  for (const RunResult& r : row.results) {
    if (r.finished) values.push_back(of(r));
  }
  return values;
}

bool teaches(Arm arm) { return arm == Arm::teacher || arm == Arm::regulated_teacher || arm == Arm::student; }

/// The network in training, whichever column of the ledger it is in.
double forwards(Arm arm, const RunResult& r) {
  return static_cast<double>(teaches(arm) ? r.ledger.teacher_forward : r.ledger.student_forward);
}
double backwards(Arm arm, const RunResult& r) {
  return static_cast<double>(teaches(arm) ? r.ledger.teacher_backward : r.ledger.student_backward);
}

/// The numbers of one row, in column order.
struct RowNumbers {
  MeanError last, best;
  double distinct = 0, forward = 0, backward = 0, teacher_forward = 0, gflops = 0, seconds = 0;
  double distinct_share = 0, forward_share = 0, backward_share = 0;
  int finished = 0, runs = 0;
};

RowNumbers numbers_of(const Table& table, const ArmRuns& row) {
  RowNumbers n;
  const auto mean = [&](const std::function<double(const RunResult&)>& of) { return mean_error(gather(row, of)).mean; };
  n.last = mean_error(gather(row, [](const RunResult& r) { return 100 * r.last; }));
  n.best = mean_error(gather(row, [](const RunResult& r) { return 100 * r.best; }));
  n.distinct = mean([](const RunResult& r) { return static_cast<double>(r.ledger.distinct_samples); });
  n.forward = mean([&](const RunResult& r) { return forwards(row.arm, r); });
  n.backward = mean([&](const RunResult& r) { return backwards(row.arm, r); });
  n.teacher_forward = teaches(row.arm) ? 0 : mean([](const RunResult& r) { return static_cast<double>(r.ledger.teacher_forward); });
  n.gflops = mean([](const RunResult& r) { return r.ledger.flops / 1e9; });
  n.seconds = mean([](const RunResult& r) { return r.timing.total(); });
  double samples = 0;
  for (const ArmRuns& other : table.rows) {
    if (other.arm == Arm::teacher && !other.results.empty()) samples = other.results.front().train_samples;
  }
  n.distinct_share = samples > 0 ? 100 * n.distinct / samples : 0;
  n.forward_share = table.conventional_samples > 0 ? 100 * n.forward / table.conventional_samples : 0;
  n.backward_share = table.conventional_samples > 0 ? 100 * n.backward / table.conventional_samples : 0;
  n.runs = static_cast<int>(row.results.size());
  n.finished = n.last.n;
  return n;
}

std::string accuracy(const MeanError& value) {
  if (value.n == 0) return "diverged";
  return value.n == 1 ? formatted("%.2f", value.mean) : formatted("%.2f", value.mean) + formatted(" ± %.2f", value.error);
}

std::string with_share(double value, double share) { return with_thousands(value) + formatted(" (%.1f %%)", share); }

std::size_t width(const std::string& text) {  // UTF-8 code points
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  return n;
}

}  // namespace

MeanError mean_error(const std::vector<double>& values) {
  MeanError out;
  out.n = static_cast<int>(values.size());
  if (values.empty()) return out;
  for (const double v : values) out.mean += v / out.n;
  if (out.n < 2) return out;
  double squares = 0;
  for (const double v : values) squares += (v - out.mean) * (v - out.mean);
  out.error = std::sqrt(squares / (out.n - 1) / out.n);
  return out;
}

std::vector<std::string> paired_differences(const Table& table) {
  const auto row = [&](Arm arm) -> const ArmRuns* {
    for (const ArmRuns& r : table.rows) {
      if (r.arm == arm) return &r;
    }
    return nullptr;
  };
  std::vector<std::string> lines;
  const std::pair<Arm, Arm> pairs[] = {{Arm::significance, Arm::random_subset}, {Arm::significance, Arm::kd_same_seconds},
                                       {Arm::regulated, Arm::random_mask},      {Arm::hybrid, Arm::random_mask},
                                       {Arm::significance, Arm::kd},            {Arm::regulated, Arm::kd},
                                       {Arm::hybrid, Arm::kd}};
  for (const auto& [method, control] : pairs) {
    const ArmRuns *a = row(method), *b = row(control);
    if (a == nullptr || b == nullptr) continue;
    std::vector<double> differences;
    for (std::size_t i = 0; i < std::min(a->results.size(), b->results.size()); ++i) {
      if (a->results[i].finished && b->results[i].finished) differences.push_back(100 * (a->results[i].last - b->results[i].last));
    }
    const MeanError d = mean_error(differences);
    if (d.n == 0) continue;
    lines.push_back(std::string(arm_info(method).label) + " minus " + arm_info(control).label + ": " +
                    formatted("%+.2f", d.mean) + (d.n > 1 ? formatted(" ± %.2f", d.error) : "") + " points (" +
                    std::to_string(d.n) + (d.n == 1 ? " seed)" : " paired seeds)"));
  }
  return lines;
}

std::string to_markdown(const Table& table) {
  std::vector<std::vector<std::string>> cells = {{"method", "lr", "last acc. %", "best acc. %", "published", "distinct samples",
                                                  "forwarded", "backwarded", "teacher fwd", "GFLOP", "seconds"}};
  for (const ArmRuns& row : table.rows) {
    const RowNumbers n = numbers_of(table, row);
    const auto published = table.published.find(row.arm);
    std::string name = arm_info(row.arm).label;
    if (n.finished < n.runs) name += " (" + std::to_string(n.runs - n.finished) + " of " + std::to_string(n.runs) + " diverged)";
    cells.push_back({name, formatted("%g", row.lr), accuracy(n.last), accuracy(n.best),
                     published == table.published.end() ? "" : formatted("%.2f", published->second),
                     with_share(n.distinct, n.distinct_share), with_share(n.forward, n.forward_share),
                     with_share(n.backward, n.backward_share), n.teacher_forward > 0 ? with_thousands(n.teacher_forward) : "",
                     with_thousands(n.gflops), formatted("%.1f", n.seconds)});
  }
  std::vector<std::size_t> widths(cells[0].size(), 0);
  for (const auto& row : cells)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  std::string out = table.title + "\n\n";
  for (std::size_t r = 0; r < cells.size(); ++r) {
    out += "|";
    for (std::size_t c = 0; c < cells[r].size(); ++c) {
      const std::string pad(widths[c] - width(cells[r][c]), ' ');
      out += " " + (c == 0 ? cells[r][c] + pad : pad + cells[r][c]) + " |";
    }
    out += "\n";
    if (r > 0) continue;
    out += "|";
    for (std::size_t c = 0; c < widths.size(); ++c) out += (c == 0 ? " :" : " ") + std::string(widths[c] - 1, '-') + (c == 0 ? " |" : ": |");
    out += "\n";
  }
  out += "\n";
  for (const std::string& line : paired_differences(table)) out += line + "\n";
  for (const std::string& note : table.notes) out += note + "\n";
  return out;
}

std::string to_csv(const Table& table) {
  std::string out =
      "method,lr,runs,finished,last_mean,last_se,best_mean,best_se,published,distinct_samples,forwarded,backwarded,"
      "teacher_forwarded,gflop,seconds\n";
  for (const ArmRuns& row : table.rows) {
    const RowNumbers n = numbers_of(table, row);
    const auto published = table.published.find(row.arm);
    out += std::string(arm_info(row.arm).id) + formatted(",%g", row.lr) + "," + std::to_string(n.runs) + "," +
           std::to_string(n.finished) + formatted(",%.4f", n.last.mean) + formatted(",%.4f", n.last.error) +
           formatted(",%.4f", n.best.mean) + formatted(",%.4f", n.best.error) + "," +
           (published == table.published.end() ? "" : formatted("%.2f", published->second)) + formatted(",%.1f", n.distinct) +
           formatted(",%.1f", n.forward) + formatted(",%.1f", n.backward) + formatted(",%.1f", n.teacher_forward) +
           formatted(",%.3f", n.gflops) + formatted(",%.2f\n", n.seconds);
  }
  return out;
}

std::string to_json(const Table& table) {
  nlohmann::ordered_json object = {{"recipe", table.recipe}, {"title", table.title}};
  object["rows"] = nlohmann::ordered_json::array();
  for (const ArmRuns& row : table.rows) {
    const RowNumbers n = numbers_of(table, row);
    nlohmann::ordered_json entry = {{"method", arm_info(row.arm).id},
                                    {"lr", row.lr},
                                    {"runs", n.runs},
                                    {"finished", n.finished},
                                    {"last_mean", n.last.mean},
                                    {"last_standard_error", n.last.error},
                                    {"best_mean", n.best.mean},
                                    {"best_standard_error", n.best.error},
                                    {"distinct_samples", n.distinct},
                                    {"forwarded", n.forward},
                                    {"backwarded", n.backward},
                                    {"forwarded_share", n.forward_share / 100},
                                    {"backwarded_share", n.backward_share / 100},
                                    {"teacher_forwarded", n.teacher_forward},
                                    {"gflop", n.gflops},
                                    {"seconds", n.seconds},
                                    {"folder", row.folder}};
    const auto published = table.published.find(row.arm);
    if (published != table.published.end()) entry["published"] = published->second;
    object["rows"].push_back(std::move(entry));
  }
  object["paired_differences"] = paired_differences(table);
  object["notes"] = table.notes;
  return object.dump(2);
}

}  // namespace retort
