#include "distill/reproduce/table.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "distill/reproduce/statistics.h"
#include "kernels/error.h"

namespace retort {
namespace {

std::string formatted(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string with_thousands(double value) {
  std::string digits = formatted("%.0f", value);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

/// Of the finished runs.
Spread over_seeds(const TableRow& row, const std::function<double(const RunResult&)>& of) {
  std::vector<double> values;
  for (const RunOutcome& run : row.runs) {
    if (run.result.finished) values.push_back(of(run.result));
  }
  return spread_of(values);
}

/// In the unit of the table: per cent, degrees, or the targets'.
double in_unit(const RunResult& result, double value) {
  return result.metric == "accuracy" ? 100 * value : value;
}

/// The numbers of one row, in column order.
struct RowNumbers {
  Spread last, best;
  double distinct = 0, forward = 0, backward = 0, teacher_forward = 0, gflops = 0, seconds = 0;
  /// Of the training samples, and of what conventional training forwards and backwards.
  double distinct_share = 0, forward_share = 0, backward_share = 0, teacher_forward_share = 0;
  int finished = 0, runs = 0;
};

RowNumbers numbers_of(const TableSection& section, const TableRow& row) {
  RowNumbers n;
  const bool alone = row.arm.taught_by.empty();  // the ledger counts what trains on labels as a teacher
  const auto mean = [&](const std::function<double(const RunResult&)>& of) { return over_seeds(row, of).mean; };
  n.last = over_seeds(row, [](const RunResult& r) { return in_unit(r, r.last); });
  n.best = over_seeds(row, [](const RunResult& r) { return in_unit(r, r.best); });
  n.distinct = mean([](const RunResult& r) { return static_cast<double>(r.ledger.distinct_samples); });
  n.forward = mean([&](const RunResult& r) {
    return static_cast<double>(alone ? r.ledger.teacher_forward : r.ledger.student_forward);
  });
  n.backward = mean([&](const RunResult& r) {
    return static_cast<double>(alone ? r.ledger.teacher_backward : r.ledger.student_backward);
  });
  n.teacher_forward =
      alone ? 0 : mean([](const RunResult& r) { return static_cast<double>(r.ledger.teacher_forward); });
  n.gflops = mean([](const RunResult& r) { return r.ledger.flops / 1e9; });
  n.seconds = mean([](const RunResult& r) { return r.timing.total(); });
  const double all = row.conventional;
  const auto share = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
  n.distinct_share = share(n.distinct, section.samples);
  n.forward_share = share(n.forward, all);
  n.backward_share = share(n.backward, all);
  n.teacher_forward_share = share(n.teacher_forward, all);
  n.runs = static_cast<int>(row.runs.size());
  n.finished = n.last.n;
  return n;
}

std::string accuracy(const Spread& value, int runs) {
  if (value.n == 0) return runs > 0 ? "failed" : "to do";
  return value.n == 1 ? formatted("%.2f", value.mean)
                      : formatted("%.2f", value.mean) + formatted(" ± %.2f", value.deviation);
}

std::string percent(double share) {
  return formatted("%.1f %%", 100 * share);
}

std::size_t width(const std::string& text) {  // UTF-8 code points
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  return n;
}

using Cells = std::vector<std::vector<std::string>>;

/// The first row is the head, the first column is text.
std::string aligned(const Cells& cells) {
  std::vector<std::size_t> widths(cells[0].size(), 0);
  for (const auto& row : cells)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  std::string out;
  for (std::size_t r = 0; r < cells.size(); ++r) {
    out += "|";
    for (std::size_t c = 0; c < cells[r].size(); ++c) {
      const std::string pad(widths[c] - width(cells[r][c]), ' ');
      out += " " + (c == 0 ? cells[r][c] + pad : pad + cells[r][c]) + " |";
    }
    out += "\n";
    if (r > 0) continue;
    out += "|";
    for (std::size_t c = 0; c < widths.size(); ++c)
      out += (c == 0 ? " :" : " ") + std::string(widths[c] - 1, '-') + (c == 0 ? " |" : ": |");
    out += "\n";
  }
  return out;
}

Cells cells_of(const TableSection& section, const std::string& unit) {
  Cells cells = {{"method", "lr", "last " + unit, "best " + unit, "published", "distinct samples", "forwards",
                  "backwards", "teacher forwards", "GFLOP", "seconds"}};
  for (const TableRow& row : section.rows) {
    const RowNumbers n = numbers_of(section, row);
    const auto published = section.pair.published.find(row.arm.id);
    std::string name = row.arm.label;
    if (n.finished < n.runs && n.finished > 0) name += text(" (", n.runs - n.finished, " of ", n.runs, " failed)");
    std::vector<std::string> line = {
        name, formatted("%g", row.lr), accuracy(n.last, n.runs), accuracy(n.best, n.runs),
        published == section.pair.published.end() ? "" : formatted("%.2f", published->second)};
    if (n.finished > 0) {
      for (std::string cell :
           {with_thousands(n.distinct) + " (" + percent(n.distinct_share) + ")", percent(n.forward_share),
            percent(n.backward_share), n.teacher_forward > 0 ? percent(n.teacher_forward_share) : std::string(),
            with_thousands(n.gflops), formatted("%.1f", n.seconds)}) {
        line.push_back(std::move(cell));
      }
    }
    line.resize(cells[0].size());
    cells.push_back(std::move(line));
  }
  return cells;
}

std::string difference(const TableRow& method, const TableRow& control) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < std::min(method.runs.size(), control.runs.size()); ++i) {
    const RunResult &a = method.runs[i].result, &b = control.runs[i].result;
    if (a.finished && b.finished) differences.push_back(in_unit(a, a.last) - in_unit(b, b.last));
  }
  const Spread d = spread_of(differences);
  if (d.n == 0) return {};
  return method.arm.label + " minus " + control.arm.label + ": " + formatted("%+.2f", d.mean) +
         (d.n > 1 ? formatted(" ± %.2f", d.standard_error()) : "") +
         text(method.runs.front().result.metric == "angle" ? " degrees (" : " points (", d.n,
              d.n == 1 ? " seed)" : " paired seeds)");
}

std::vector<std::string> problems_of(const TableSection& section) {
  std::vector<std::string> lines;
  for (const TableRow& row : section.rows) {
    for (std::size_t i = 0; i < row.runs.size(); ++i) {
      if (!row.runs[i].problem.empty())
        lines.push_back(text(row.arm.label, ", seed ", i + 1, ": ", row.runs[i].problem));
    }
  }
  return lines;
}

}  // namespace

std::string metric_of(const TableSection& section) {
  for (const TableRow& row : section.rows) {
    for (const RunOutcome& run : row.runs) {
      if (run.result.finished && !run.result.metric.empty()) return run.result.metric;
    }
  }
  return "accuracy";
}

std::string metric_of(const Table& table) {
  for (const TableSection& section : table.sections) {
    if (const std::string metric = metric_of(section); metric != "accuracy") return metric;
  }
  return "accuracy";
}

std::string unit_of(const std::string& metric) {
  return metric == "accuracy" ? "acc. %" : metric == "angle" ? "angle, degrees" : metric;
}

std::vector<std::string> paired_differences(const TableSection& section) {
  const auto row = [&](const std::string& id) -> const TableRow* {
    for (const TableRow& r : section.rows) {
      if (r.arm.id == id) return &r;
    }
    return nullptr;
  };
  std::vector<std::string> lines;
  const auto add = [&](const TableRow* method, const TableRow* control) {
    if (method == nullptr || control == nullptr || method == control) return;
    const std::string line = difference(*method, *control);
    if (!line.empty()) lines.push_back(line);
  };
  for (const TableRow& control : section.rows) {
    for (const std::string& id :
         std::set<std::string>{control.arm.subset_of, control.arm.share_of, control.arm.seconds_of}) {
      add(row(id), &control);
    }
  }
  for (const TableRow& method : section.rows) {
    const std::string& against = method.arm.against;
    if (against != method.arm.id && (!against.empty() || (!method.arm.is_control() && !method.arm.taught_by.empty()))) {
      add(&method, row(against.empty() ? "kd" : against));
    }
  }
  return lines;
}

std::string to_markdown(const Table& table) {
  std::string out = table.title + "\n";
  for (const TableSection& section : table.sections) {
    if (table.sections.size() > 1) out += "\n## " + section.pair.teacher + " -> " + section.pair.student + "\n";
    out += "\n" + aligned(cells_of(section, unit_of(metric_of(table)))) + "\n";
    for (const std::string& line : paired_differences(section)) out += "- " + line + "\n";
    for (const std::string& line : problems_of(section)) out += "- " + line + "\n";
  }
  if (!table.notes.empty()) out += "\n";
  for (const std::string& note : table.notes) out += note + "\n";
  return out;
}

std::string to_csv(const Table& table) {
  std::string out =
      "teacher,student,method,lr,runs,finished,last_mean,last_deviation,best_mean,best_deviation,published,distinct_"
      "samples,"
      "forwards,backwards,teacher_forwards,distinct_share,forwards_share,backwards_share,teacher_forwards_share,gflop,"
      "seconds\n";
  for (const TableSection& section : table.sections) {
    for (const TableRow& row : section.rows) {
      const RowNumbers n = numbers_of(section, row);
      const auto published = section.pair.published.find(row.arm.id);
      out += text(section.pair.teacher, ",", section.pair.student, ",", row.arm.id) + formatted(",%g", row.lr) +
             text(",", n.runs, ",", n.finished) + formatted(",%.4f", n.last.mean) +
             formatted(",%.4f", n.last.deviation) + formatted(",%.4f", n.best.mean) +
             formatted(",%.4f", n.best.deviation) + "," +
             (published == section.pair.published.end() ? "" : formatted("%.2f", published->second));
      for (const double count : {n.distinct, n.forward, n.backward, n.teacher_forward})
        out += formatted(",%.1f", count);
      for (const double share : {n.distinct_share, n.forward_share, n.backward_share, n.teacher_forward_share}) {
        out += formatted(",%.4f", share);
      }
      out += formatted(",%.3f", n.gflops) + formatted(",%.2f\n", n.seconds);
    }
  }
  return out;
}

std::string to_json(const Table& table) {
  nlohmann::ordered_json object = {{"recipe", table.recipe}, {"title", table.title}, {"metric", metric_of(table)}};
  object["rows"] = nlohmann::ordered_json::array();
  object["paired_differences"] = object["problems"] = nlohmann::ordered_json::array();
  for (const TableSection& section : table.sections) {
    for (const TableRow& row : section.rows) {
      const RowNumbers n = numbers_of(section, row);
      nlohmann::ordered_json entry = {{"teacher", section.pair.teacher},
                                      {"student", section.pair.student},
                                      {"method", row.arm.id},
                                      {"label", row.arm.label},
                                      {"lr", row.lr},
                                      {"runs", n.runs},
                                      {"finished", n.finished},
                                      {"last_mean", n.last.mean},
                                      {"last_deviation", n.last.deviation},
                                      {"best_mean", n.best.mean},
                                      {"best_deviation", n.best.deviation},
                                      {"distinct_samples", n.distinct},
                                      {"forwards", n.forward},
                                      {"backwards", n.backward},
                                      {"teacher_forwards", n.teacher_forward},
                                      {"distinct_share", n.distinct_share},
                                      {"forwards_share", n.forward_share},
                                      {"backwards_share", n.backward_share},
                                      {"teacher_forwards_share", n.teacher_forward_share},
                                      {"gflop", n.gflops},
                                      {"seconds", n.seconds},
                                      {"folder", row.folder}};
      const auto published = section.pair.published.find(row.arm.id);
      if (published != section.pair.published.end()) entry["published"] = published->second;
      object["rows"].push_back(std::move(entry));
    }
    const std::string place =
        table.sections.size() > 1 ? section.pair.teacher + " -> " + section.pair.student + ": " : "";
    for (const std::string& line : paired_differences(section)) object["paired_differences"].push_back(place + line);
    for (const std::string& line : problems_of(section)) object["problems"].push_back(place + line);
  }
  object["notes"] = table.notes;
  return object.dump(2);
}

}  // namespace retort
