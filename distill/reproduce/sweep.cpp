#include "distill/reproduce/sweep.h"

#include <algorithm>
#include <cstdio>

#include "distill/reproduce/statistics.h"
#include "kernels/error.h"

namespace retort {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) parts.emplace_back();
    if (c != separator) parts.back() += c;
  }
  return parts;
}

/// Options whose value is text: "mask" where others have 0.5.
bool is_text(const std::string& option) {
  bool text = false;
  visit_option_members([&](const char* name, auto member, const char*) {
    if (option == name) text = std::is_same_v<decltype(member), std::string RunOptions::*>;
  });
  return text;
}

std::string folder_name(const std::string& value) {
  std::string name;
  for (const char c : value) {
    if (c != '"') name += c;
  }
  return name;
}

std::string formatted(const char* format, double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

double mean(const TableRow& row, double (*of)(const RunResult&)) {
  std::vector<double> values;
  for (const RunOutcome& run : row.runs) {
    if (run.result.finished) values.push_back(of(run.result));
  }
  return spread_of(values).mean;
}

bool finished(const TableRow& row) {
  return std::any_of(row.runs.begin(), row.runs.end(), [](const RunOutcome& run) { return run.result.finished; });
}

/// Marks those for which nothing that costs as much or less is as good, but for being better in neither.
void mark(std::vector<FrontierPoint>& points, bool higher_is_better, double FrontierPoint::*cost,
          bool FrontierPoint::*best) {
  const auto bargain = [&](const FrontierPoint& p) {
    return Bargain{higher_is_better ? p.accuracy : -p.accuracy, p.*cost};
  };
  for (FrontierPoint& point : points) {
    point.*best = std::none_of(points.begin(), points.end(), [&](const FrontierPoint& other) {
      return bargain(other).outdoes(bargain(point));
    });
  }
}

}  // namespace

Variation parse_variation(const std::string& words) {
  const std::size_t equals = words.find('=');
  RETORT_CHECK(equals != std::string::npos && equals > 0 && equals + 1 < words.size(), "--vary ", printable(words),
               ": must be OPTION=VALUE,VALUE,...");
  Variation variation;
  variation.option = words.substr(0, equals);
  for (const std::string& value : split(words.substr(equals + 1), ',')) {
    const std::string written = is_text(variation.option) ? '"' + value + '"' : value;
    RunOptions any;
    try {
      RETORT_CHECK(value.find_first_of("/\\\"'\n ") == std::string::npos && !value.empty(), "'", printable(value),
                   "' is no value");
      set_options(any, {{variation.option, written}}, "--vary " + variation.option);
    } catch (const Error& error) {
      fail(ErrorKind::usage, text(error.what(), " (--vary ", printable(words), ")"));
    }
    variation.values.push_back(written);
  }
  return variation;
}

Recipe sweep_recipe(const Recipe& recipe, const std::string& method, const std::vector<Variation>& variations) {
  RETORT_CHECK(!variations.empty() && variations.size() <= 2,
               "a sweep varies one or two options: --vary OPTION=VALUE,VALUE,...");
  Recipe out = recipe;
  const bool has_kd =
      std::any_of(recipe.arms.begin(), recipe.arms.end(), [](const Arm& arm) { return arm.id == "kd"; });
  select(out, has_kd ? std::vector<std::string>{method, "kd"} : std::vector<std::string>{method}, {});
  std::vector<Arm> points = {recipe.arm(method)};
  points[0].label = method;
  for (const Variation& variation : variations) {
    std::vector<Arm> more;
    for (const Arm& point : points) {
      for (const std::string& value : variation.values) {
        Arm arm = point;
        arm.id += "-" + variation.option + "-" + folder_name(value);
        arm.label += ", " + variation.option + " " + folder_name(value);
        arm.like = method;
        arm.options[variation.option] = value;
        more.push_back(std::move(arm));
      }
    }
    points = std::move(more);
  }
  // The method itself is one of them or of no interest; kd is what they are compared with.
  if (method != "kd") std::erase_if(out.arms, [&](const Arm& arm) { return arm.id == method; });
  out.arms.insert(out.arms.end(), points.begin(), points.end());
  out.name += "-sweep";
  return out;
}

std::vector<FrontierPoint> frontier_of(const TableSection& section) {
  const bool accuracy = metric_of(section) == "accuracy";  // all else are errors
  std::vector<FrontierPoint> points;
  for (const TableRow& row : section.rows) {
    if (row.arm.taught_by.empty() || !finished(row)) continue;
    FrontierPoint point;
    point.label = row.arm.label;
    point.accuracy = (accuracy ? 100 : 1) * mean(row, [](const RunResult& r) { return r.last; });
    point.backwards = mean(row, [](const RunResult& r) { return static_cast<double>(r.ledger.student_backward); }) /
                      std::max(1.0, row.conventional);
    point.seconds = mean(row, [](const RunResult& r) { return r.timing.total(); });
    points.push_back(point);
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.backwards < b.backwards; });
  mark(points, accuracy, &FrontierPoint::backwards, &FrontierPoint::best_of_backwards);
  mark(points, accuracy, &FrontierPoint::seconds, &FrontierPoint::best_of_seconds);
  return points;
}

std::string frontier_to_markdown(const Table& table) {
  const std::string metric = metric_of(table);
  std::string out = (metric == "accuracy" ? "Accuracy" : metric == "angle" ? "Angle" : "Error") +
                    std::string(" against cost. On a frontier (*) is what nothing matches for less.\n");
  for (const TableSection& section : table.sections) {
    if (table.sections.size() > 1) out += "\n## " + section.pair.teacher + " -> " + section.pair.student + "\n";
    out += "\n| method | last " + unit_of(metric) +
           " | backwards | | seconds | |\n| :-- | --: | --: | :-- | --: | :-- |\n";
    for (const FrontierPoint& p : frontier_of(section)) {
      out += "| " + p.label + " | " + formatted("%.2f", p.accuracy) + " | " + formatted("%.1f %%", 100 * p.backwards) +
             (p.best_of_backwards ? " | * | " : " | | ") + formatted("%.1f", p.seconds) +
             (p.best_of_seconds ? " | * |\n" : " | |\n");
    }
  }
  return out;
}

std::string frontier_to_csv(const Table& table) {
  std::string out = "teacher,student,method," + metric_of(table) +
                    ",backwards_share,seconds,frontier_backwards,frontier_seconds\n";
  for (const TableSection& section : table.sections) {
    for (const FrontierPoint& p : frontier_of(section)) {
      out += section.pair.teacher + "," + section.pair.student + ",\"" + p.label + "\"," +
             formatted("%.4f", p.accuracy) + "," + formatted("%.4f", p.backwards) + "," + formatted("%.2f", p.seconds) +
             (p.best_of_backwards ? ",1" : ",0") + (p.best_of_seconds ? ",1\n" : ",0\n");
    }
  }
  return out;
}

}  // namespace retort
