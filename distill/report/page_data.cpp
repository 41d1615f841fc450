#include "distill/report/page_data.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "data/file.h"
#include "distill/reproduce/statistics.h"
#include "distill/version.h"
#include "kernels/error.h"

namespace retort {
namespace {

using nlohmann::ordered_json;

// What keeps a page below 3 MB, whatever it is about. In numbers, which are about seven characters each, and bytes.
constexpr std::size_t curve_numbers = 100'000, class_numbers = 50'000, picture_bytes = 1'300'000;
constexpr int largest_matrix = 20;  // classes; of more, the commonest confusions are listed
constexpr int listed_confusions = 20;
constexpr int histogram_bars = 64;

/// Six digits: more than a plot can show, and a third of the characters.
ordered_json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", value);
  return std::strtod(digits, nullptr);
}

/// Every `step`th epoch and the last.
std::vector<const EpochRecord*> thinned(const std::vector<EpochRecord>& epochs, std::size_t step) {
  std::vector<const EpochRecord*> kept;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    if ((i + 1) % step == 0 || i + 1 == epochs.size()) kept.push_back(&epochs[i]);
  }
  return kept;
}

/// So that all runs' epochs, `width` numbers each, come to no more than `budget` numbers.
std::size_t step_for(const std::vector<ReportedFindings>& runs, std::size_t budget,
                     std::size_t (*width)(const EpochRecord&)) {
  std::size_t numbers = 0;
  for (const auto& entry : runs) {
    for (const EpochRecord& epoch : entry.run.epochs) numbers += width(epoch);
  }
  return std::max<std::size_t>(1, (numbers + budget - 1) / budget);
}

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : std::nan("");
}

template <typename Value>
ordered_json column(const std::vector<const EpochRecord*>& epochs, Value value) {
  ordered_json list = ordered_json::array();
  for (const EpochRecord* epoch : epochs) list.push_back(value(*epoch));
  return list;
}

ordered_json curves_of(const std::vector<const EpochRecord*>& epochs) {
  ordered_json out;
  out["epoch"] = column(epochs, [](const EpochRecord& e) { return e.epoch; });
  out["test_metric"] = column(epochs, [](const EpochRecord& e) { return rounded(e.test_metric); });
  out["test_loss"] = column(epochs, [](const EpochRecord& e) { return rounded(e.test_loss); });
  out["train_metric"] = column(epochs, [](const EpochRecord& e) { return rounded(e.train_metric); });
  out["train_loss"] = column(epochs, [](const EpochRecord& e) { return rounded(e.train_loss); });
  out["participation"] = column(epochs, [](const EpochRecord& e) { return rounded(share(e.participants, e.rows)); });
  return out;
}

/// share[class][epoch] of those epochs that say it.
ordered_json by_class_of(std::vector<const EpochRecord*> epochs) {
  const auto incomplete = [](const EpochRecord* e) {
    return e->participants_by_class.empty() || e->rows_by_class.size() != e->participants_by_class.size();
  };
  epochs.erase(std::remove_if(epochs.begin(), epochs.end(), incomplete), epochs.end());
  if (epochs.empty()) return nullptr;
  const std::size_t classes = epochs.front()->rows_by_class.size();
  for (const EpochRecord* e : epochs) {
    if (e->rows_by_class.size() != classes) return nullptr;
  }
  ordered_json out = {{"epoch", column(epochs, [](const EpochRecord& e) { return e.epoch; })}};
  for (std::size_t c = 0; c < classes; ++c) {
    out["share"].push_back(column(
        epochs, [&](const EpochRecord& e) { return rounded(share(e.participants_by_class[c], e.rows_by_class[c])); }));
  }
  return out;
}

/// Samples by their count: {"width": counts a bar stands for, "samples": one number a bar}.
ordered_json bars(const std::vector<int>& histogram) {
  const std::size_t width = (histogram.size() + histogram_bars - 1) / histogram_bars;
  std::vector<std::int64_t> samples((histogram.size() + width - 1) / width);
  for (std::size_t i = 0; i < histogram.size(); ++i) samples[i / width] += histogram[i];
  return {{"width", width}, {"samples", samples}};
}

ordered_json counts_of(const Significance& s) {
  std::vector<int> histogram(histogram_size(s));
  double sum = 0;
  for (const std::int32_t count : s.count) {
    ++histogram[std::min(static_cast<std::size_t>(count), histogram.size() - 1)];
    sum += count;
  }
  return {{"epochs", s.epochs},
          {"samples", s.count.size()},
          {"mean", rounded(sum / static_cast<double>(std::max<std::size_t>(1, s.count.size())))},
          {"never", histogram.front()},
          {"always", histogram.back()},
          {"histogram", bars(histogram)}};
}

ordered_json difficulty_of(const SampleFindings& found) {
  if (!found.difficulty) return nullptr;
  ordered_json out = {{"rank_correlation", rounded(found.rank_correlation)}, {"thirds", ordered_json::array()}};
  for (const DifficultyThird& third : *found.difficulty) {
    out["thirds"].push_back({{"samples", third.samples},
                             {"mean", rounded(third.mean)},
                             {"never", third.histogram.front()},
                             {"histogram", bars(third.histogram)}});
  }
  return out;
}

ordered_json confusions(const Predictions& p, std::size_t named) {
  auto classes = static_cast<std::int64_t>(named);
  for (const auto* column : {&p.label, &p.prediction}) {
    classes = std::max<std::int64_t>(classes, std::int64_t{1} + *std::max_element(column->begin(), column->end()));
  }
  ordered_json out = {{"samples", p.label.size()}, {"classes", classes}};
  if (classes <= largest_matrix) {
    out["matrix"] = confusion_of(p, static_cast<int>(classes));
    return out;
  }
  std::map<std::pair<int, int>, int> pairs;
  std::map<int, std::pair<int, int>> right;  // by label: right, all
  for (std::size_t i = 0; i < p.label.size(); ++i) {
    const bool correct = p.label[i] == p.prediction[i];
    right[p.label[i]].first += correct;
    ++right[p.label[i]].second;
    if (!correct) ++pairs[{p.label[i], p.prediction[i]}];
  }
  std::vector<std::pair<int, std::pair<int, int>>> commonest;
  for (const auto& [pair, count] : pairs) commonest.push_back({-count, pair});
  std::sort(commonest.begin(), commonest.end());
  out["commonest"] = out["recall"] = ordered_json::array();
  for (std::size_t i = 0; i < std::min<std::size_t>(listed_confusions, commonest.size()); ++i) {
    out["commonest"].push_back({commonest[i].second.first, commonest[i].second.second, -commonest[i].first});
  }
  for (const auto& [label, counts] : right)
    out["recall"].push_back({label, rounded(share(counts.first, counts.second)), counts.second});
  return out;
}

ordered_json calibration_of(const Calibration& c) {
  ordered_json out = {{"error_correlation", rounded(c.error_correlation)}, {"bins", ordered_json::array()}};
  if (c.difficulty_correlation) out["difficulty_correlation"] = rounded(*c.difficulty_correlation);
  for (const CalibrationBin& bin : c.bins) {
    out["bins"].push_back({bin.samples, rounded(bin.predicted), rounded(bin.observed)});
  }
  return out;
}

/// A column for each number, and for chances and strengths a column for each operation. Apart from them, what each phase
/// changed by the same draws: losses before and after it.
ordered_json phases_of(const std::vector<PhaseRecord>& log) {
  ordered_json out = {{"compared", ordered_json::array()}};
  std::vector<PhaseRecord> phases;
  for (const PhaseRecord& p : log) {
    if (!p.compares) {
      phases.push_back(p);
    } else if (p.epoch == 0) {
      out["compared"].push_back({{"phase", p.phase}, {"teacher", {rounded(p.teacher_loss)}}, {"student", {rounded(p.student_loss)}}});
    } else if (!out["compared"].empty()) {
      ordered_json& begun = out["compared"].back();
      begun["teacher"].push_back(rounded(p.teacher_loss));
      begun["student"].push_back(rounded(p.student_loss));
    }
  }
  if (phases.empty()) return {};  // the first has only begun
  for (int i = 0; i < kOperations; ++i) out["operations"].push_back(info_of(static_cast<Operation>(i)).name);
  for (const PhaseRecord& p : phases) {
    out["phase"].push_back(p.phase);
    out["teacher_loss"].push_back(rounded(p.teacher_loss));
    out["student_loss"].push_back(rounded(p.student_loss));
    out["teacher_accuracy"].push_back(rounded(p.teacher_accuracy));
    out["student_accuracy"].push_back(rounded(p.student_accuracy));
  }
  for (const auto& [name, member] : {std::pair("chances", &PhaseRecord::chances), std::pair("strengths", &PhaseRecord::strengths)}) {
    for (std::size_t i = 0; i < (phases.front().*member).size(); ++i) {
      ordered_json values = ordered_json::array();
      for (const PhaseRecord& p : phases) values.push_back(i < (p.*member).size() ? rounded((p.*member)[i]) : ordered_json());
      out[name].push_back(std::move(values));
    }
  }
  return out;
}

ordered_json options_of(const RunOptions& options) {
  ordered_json out = {{"command", options.command}};
  visit_options(options, [&](const char* name, const auto& value, const char*) { out[name] = value; });
  return out;
}

/// What a run has cost and reached, finished or not.
ordered_json outcome_of(const ReportedRun& run) {
  ordered_json out;
  const EpochRecord* last = run.epochs.empty() ? nullptr : &run.epochs.back();
  out["finished"] = run.result.has_value();
  out["epochs_done"] = epochs_done(run);
  out["metric"] = metric_of(run);
  if (run.result) {
    out["last"] = rounded(run.result->last);
    out["best"] = rounded(run.result->best);
    out["best_epoch"] = run.result->best_epoch;
    if (run.result->teacher_metric >= 0) out["teacher_metric"] = rounded(run.result->teacher_metric);
    out["samples_in_use"] = run.result->samples_in_use;
  } else if (last != nullptr) {
    out["last"] = rounded(last->test_metric);
  }
  if (run.train_samples > 0) out["train_samples"] = run.train_samples;
  if (!run.result && last == nullptr) return out;
  const Ledger& ledger = run.result ? run.result->ledger : last->ledger;
  visit_fields(ledger, [&](const char* name, const auto& field) { out["ledger"][name] = field; });
  const Timing& timing = run.result ? run.result->timing : last->timing;
  out["seconds"] = {{"data", rounded(timing.data)},
                    {"compute", rounded(timing.compute)},
                    {"evaluation", rounded(timing.evaluation)},
                    {"total", rounded(timing.total())}};
  return out;
}

/// What 100 % of a run's samples means.
struct Conventional {
  int samples = 0;       ///< of the data set: the most of any run on it, for some may be on a part
  double backwards = 0;  ///< of the longest run of the same network, had it used all of them in every epoch
};

Conventional conventional_of(const std::vector<ReportedFindings>& runs, const ReportedRun& of) {
  Conventional c;
  double epochs = 0;
  for (const auto& [run, unused, none] : runs) {
    if (run.options.data != of.options.data) continue;
    c.samples = std::max(c.samples, run.train_samples);
    if (run.options.net == of.options.net) epochs = std::max(epochs, run.options.epochs);
  }
  c.backwards = epochs * c.samples;
  return c;
}

/// Pictures are kept once, whichever galleries show them: an index into the page's list.
class Pictures {
 public:
  bool has_room(const std::string& picture) const {
    return known_.count(picture) > 0 || bytes_ + picture.size() <= picture_bytes;
  }
  std::size_t number_of(const std::string& picture) {
    const auto [place, is_new] = known_.try_emplace(picture, list_.size());
    if (is_new) {
      list_.push_back(picture);
      bytes_ += picture.size();
    }
    return place->second;
  }
  const ordered_json& list() const { return list_; }

 private:
  std::map<std::string, std::size_t> known_;
  ordered_json list_ = ordered_json::array();
  std::size_t bytes_ = 0;
};

/// The first of every gallery, then the second of every one, and so on while there is room.
void add_galleries(const std::vector<ReportedFindings>& runs, Pictures& pictures, ordered_json& page) {
  std::size_t wanted = 0, placed = 0;
  for (const auto& [unused, samples, none] : runs) wanted += samples.most.size() + samples.least.size();
  for (std::size_t place = 0, shown = 1; shown > 0; ++place) {
    shown = 0;
    for (std::size_t r = 0; r < runs.size(); ++r) {
      const SampleFindings& found = runs[r].samples;
      for (const auto& [name, gallery] : {std::pair("most", &found.most), std::pair("least", &found.least)}) {
        if (place >= gallery->size() || !pictures.has_room((*gallery)[place].picture)) continue;
        const GalleryEntry& e = (*gallery)[place];
        page["runs"][r]["gallery"][name].push_back(
            {{"index", e.index},
             {"label", e.label},
             {"prediction", e.prediction >= 0 ? ordered_json(e.prediction) : ordered_json()},
             {"count", e.count},
             {"picture", pictures.number_of(e.picture)}});
        ++shown;
        ++placed;
      }
    }
  }
  for (std::size_t r = 0; r < runs.size(); ++r) {
    ordered_json& run = page["runs"][r];
    if (!run.contains("gallery")) continue;
    run["gallery"]["ties"] = {{"most", runs[r].samples.ties_most}, {"least", runs[r].samples.ties_least}};
  }
  page["pictures_left_out"] = wanted - placed;
}

/// Original and augmented images side by side, those that there is room for.
ordered_json augmented_of(const std::vector<AugmentedEntry>& entries, Pictures& pictures) {
  ordered_json out = ordered_json::array();
  for (const AugmentedEntry& e : entries) {
    if (!pictures.has_room(e.original + e.augmented)) break;
    out.push_back({{"index", e.index},
                   {"label", e.label},
                   {"operations", e.operations},
                   {"pictures", {pictures.number_of(e.original), pictures.number_of(e.augmented)}},
                   {"teacher", {rounded(e.teacher[0]), rounded(e.teacher[1])}},
                   {"student", {rounded(e.student[0]), rounded(e.student[1])}}});
  }
  return out;
}

/// After the galleries, whose count of pictures left out goes on.
void add_augmented(const std::vector<ReportedFindings>& runs, Pictures& pictures, ordered_json& page) {
  std::size_t left_out = page["pictures_left_out"];
  for (std::size_t r = 0; r < runs.size(); ++r) {
    ordered_json shown = augmented_of(runs[r].augmented, pictures);
    left_out += 2 * (runs[r].augmented.size() - shown.size());
    if (!shown.empty()) page["runs"][r]["augmented"] = std::move(shown);  // an empty list would be a heading alone
  }
  page["pictures_left_out"] = left_out;
}

/// Adds to each point "best_of": the costs of which no run of the same network on the same data needs less for as much.
void mark_frontier(ordered_json& points, const ordered_json& runs) {
  const auto comparable = [&](const ordered_json& a, const ordered_json& b) {
    const ordered_json &x = runs[a["run"].get<std::size_t>()], &y = runs[b["run"].get<std::size_t>()];
    return x["options"]["net"] == y["options"]["net"] && x["options"]["data"] == y["options"]["data"];
  };
  const auto bargain = [](const ordered_json& p, const char* cost) {
    const double value = p["value"];
    return Bargain{p["metric"] == "accuracy" ? value : -value, p[cost]};
  };
  for (ordered_json& point : points) {
    point["best_of"] = ordered_json::array();
    for (const char* cost : {"distinct", "backward", "seconds"}) {
      const auto has = [&](const ordered_json& p) {
        return p.contains(cost) && p[cost].is_number() && p["value"].is_number();
      };
      if (!has(point)) continue;
      const bool beaten = std::any_of(points.begin(), points.end(), [&](const ordered_json& other) {
        return has(other) && comparable(other, point) && bargain(other, cost).outdoes(bargain(point, cost));
      });
      if (!beaten) point["best_of"].push_back(cost);
    }
  }
}

/// A point a run in the plots of accuracy against cost.
ordered_json frontier_of(const ordered_json& runs) {
  ordered_json points = ordered_json::array();
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const ordered_json& run = runs[r];
    if (!run.contains("ledger") || !run.contains("last")) continue;
    const bool teaches = run["options"]["command"] == "teach";
    const std::string name = run["name"].get<std::string>() + (run["finished"] ? "" : " (not finished)");
    ordered_json point = {{"run", r}, {"name", name}, {"metric", run["metric"]}, {"value", run["last"]}};
    point["seconds"] = run["seconds"]["total"];
    const double backward = run["ledger"][teaches ? "teacher_backward" : "student_backward"];
    if (run.contains("conventional")) {
      const ordered_json& whole = run["conventional"];
      point["backward"] = rounded(backward / whole["backwards"].get<double>());
      point["distinct"] = rounded(run["ledger"]["distinct_samples"].get<double>() / whole["samples"].get<double>());
    }
    points.push_back(std::move(point));
  }
  mark_frontier(points, runs);
  return points;
}

/// What `retort reproduce` writes, as far as the page counts on it.
bool is_table(const ordered_json& table) {
  static const std::set<std::string> words = {"teacher", "student", "method", "label", "folder"};
  if (!table.is_object() || !table.contains("rows") || !table["rows"].is_array()) return false;
  for (const char* list : {"paired_differences", "problems", "notes"}) {
    if (table.contains(list) && !table[list].is_array()) return false;
  }
  for (const ordered_json& row : table["rows"]) {
    if (!row.is_object() || !row.contains("method")) return false;
    for (const auto& [key, value] : row.items()) {
      if (!(words.count(key) ? value.is_string() : value.is_number())) return false;
    }
  }
  return true;
}

ordered_json tables_of(const std::vector<std::string>& paths, ordered_json& missing) {
  ordered_json tables = ordered_json::array();
  for (const std::string& path : paths) {
    ordered_json table = ordered_json::parse(read_text(path), nullptr, false);
    if (is_table(table)) {
      tables.push_back(std::move(table));
    } else {
      missing.push_back({{"name", path}, {"what", {"The table is damaged and left out."}}});
    }
  }
  return tables;
}

}  // namespace

ordered_json page_data(const std::vector<ReportedFindings>& runs, const std::vector<std::string>& tables) {
  const Versions v = versions();
  ordered_json page = {{"retort", v.retort}, {"revision", v.revision}};
  page["missing"] = ordered_json::array();
  page["tables"] = tables_of(tables, page["missing"]);
  const std::size_t curve_step = step_for(runs, curve_numbers, [](const EpochRecord&) { return std::size_t{6}; });
  const std::size_t class_step =
      step_for(runs, class_numbers, [](const EpochRecord& e) { return e.participants_by_class.size(); });
  page["curve_step"] = curve_step;
  page["class_step"] = class_step;
  for (const auto& [run, samples, none] : runs) {
    ordered_json entry = {{"name", run.where.name}, {"group", run.where.group}, {"folder", run.where.folder}};
    entry.update(outcome_of(run));
    if (const Conventional whole = conventional_of(runs, run); whole.samples > 0) {
      entry["conventional"] = {{"samples", whole.samples}, {"backwards", whole.backwards}};
    }
    entry["options"] = options_of(run.options);
    entry["environment"] = run.environment;
    entry["files"] = ordered_json::array();
    for (const FileSum& file : run.files) entry["files"].push_back({file.name, file.bytes, file.crc32});
    entry["classes"] = run.class_names.empty() ? samples.class_names : run.class_names;
    entry["curves"] = curves_of(thinned(run.epochs, curve_step));
    entry["by_class"] = by_class_of(thinned(run.epochs, class_step));
    if (run.significance) entry["significance"] = counts_of(*run.significance);
    entry["difficulty"] = difficulty_of(samples);
    if (run.calibration) entry["calibration"] = calibration_of(*run.calibration);
    if (ordered_json phases = phases_of(run.phases); !phases.is_null()) entry["phases"] = std::move(phases);
    if (run.predictions) entry["confusion"] = confusions(*run.predictions, entry["classes"].size());
    if (!run.missing.empty()) page["missing"].push_back({{"name", run.where.name}, {"what", run.missing}});
    page["runs"].push_back(std::move(entry));
  }
  Pictures pictures;
  add_galleries(runs, pictures, page);
  add_augmented(runs, pictures, page);
  page["pictures"] = pictures.list();
  page["frontier"] = frontier_of(page["runs"]);
  return page;
}

}  // namespace retort
