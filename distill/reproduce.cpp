#include "distill/reproduce.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "distill/run_setup.h"
#include "engine/atomic_file.h"

namespace retort {
namespace {

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto i, auto j) { return values[i] < values[j]; });
  std::vector<double> rank(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t j = i;
    while (j < order.size() && values[order[j]] == values[order[i]]) ++j;
    for (std::size_t k = i; k < j; ++k) rank[order[k]] = (static_cast<double>(i) + static_cast<double>(j) - 1) / 2;
    i = j;
  }
  return rank;
}

class Reproduction {
 public:
  Reproduction(Recipe recipe, const ReproduceOptions& options, const LineSink& say)
      : recipe_(std::move(recipe)), options_(options), say_(say) {}

  Table execute();

 private:
  /// One set of runs that belong together: a seed, or the tuning runs.
  struct Group {
    std::string folder;
    std::uint32_t seed = 1;
    int held_out = 0;
    std::string teachers;  ///< folder of the group whose teachers are used
  };
  RunResult run(const Group& group, Arm arm, const std::string& name, double lr, const RunResult* reference_kd,
                const RunResult* significance, const RunResult* regulated);
  void tune();
  double lr_of(Arm arm) const;
  void note_difficulty(Table& table, const Group& group) const;

  Recipe recipe_;
  const ReproduceOptions& options_;
  const LineSink& say_;
  std::map<Arm, double> tuned_;
  std::vector<std::string> tuning_notes_;
};

double Reproduction::lr_of(Arm arm) const {
  // A control runs at the rate of the method it stands beside.
  if (arm == Arm::kd_same_seconds) arm = Arm::kd;
  const auto tuned = tuned_.find(arm);
  if (tuned != tuned_.end()) return tuned->second;
  const auto fixed = recipe_.lr.find(arm);
  return fixed != recipe_.lr.end() ? fixed->second : -1;
}

RunResult Reproduction::run(const Group& group, Arm arm, const std::string& name, double lr,
                            const RunResult* reference_kd, const RunResult* significance, const RunResult* regulated) {
  RunOptions o = arm_options(recipe_, arm, group.seed);
  o.threads = options_.threads;
  o.device = options_.device;
  o.precision = options_.precision;
  o.val_split = group.held_out;
  if (lr > 0) o.lr = lr;
  if (arm_info(arm).student) {
    const bool conventional = arm == Arm::kd || arm == Arm::kd_same_seconds;
    o.teacher = group.teachers + "/" + arm_info(conventional ? Arm::teacher : Arm::regulated_teacher).id;
  }
  if (arm == Arm::random_subset) o.subset = std::to_string(significance->samples_in_use);
  if (arm == Arm::random_mask) o.random_share = regulated->participation;
  o.out = group.folder + "/" + name;
  const RunFolder folder(o.out);
  if (arm == Arm::kd_same_seconds) {
    // The length is a measurement: a run that has begun keeps the one it began with.
    const auto begun = folder.read_config();
    const double share = significance->timing.compute / std::max(1e-9, reference_kd->timing.compute);
    o.epochs = begun ? begun->epochs : std::max(0.1, reference_kd->epochs * std::min(1.0, share));
  }
  resolve(o);

  const auto config = folder.read_config();
  RETORT_CHECK(!config || same_run(*config, o), o.out, " was made with other options (", config ? first_difference(*config, o) : "",
               "): delete it, or give another --out");
  if (const auto done = folder.read_result(); done && done->finished) {
    say_(text(o.out, ": finished before, ", done->metric, " ", 100 * done->last, " %"));
    return *done;
  }
  say_(text("== ", o.out, ": ", arm_info(arm).label, ", ", o.net, ", lr ", o.lr, ", ", o.epochs, " epochs"));
  try {
    const RunResult result = train(o, true, say_);
    if (!result.finished) fail(ErrorKind::internal, "stopped");
    return result;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::diverged) throw;
    say_(text(o.out, ": ", error.what()));
    return {};
  }
}

/// Each student method, KD included, at the learning rate that serves it best on held-out training images.
void Reproduction::tune() {
  if (recipe_.lr_grid.empty()) return;
  Group group{options_.out + "/tune", 1001, recipe_.tune_held_out, options_.out + "/tune"};
  say_(text("choosing learning rates on ", recipe_.tune_held_out, " held-out training images"));
  for (const Arm arm : {Arm::teacher, Arm::regulated_teacher}) run(group, arm, arm_info(arm).id, lr_of(arm), nullptr, nullptr, nullptr);
  std::map<Arm, RunResult> best;
  for (const Arm arm : {Arm::student, Arm::kd, Arm::significance, Arm::regulated, Arm::hybrid, Arm::random_subset, Arm::random_mask}) {
    std::string line = std::string(arm_info(arm).label) + ":";
    double best_accuracy = -1;
    for (const double lr : recipe_.lr_grid) {
      const RunResult result = run(group, arm, text(arm_info(arm).id, "-lr", lr), lr, nullptr, &best[Arm::significance],
                                   &best[Arm::regulated]);
      const double accuracy = result.finished ? result.last : 0;
      line += text(" ", lr, result.finished ? text(" -> ", 100 * accuracy, " %") : std::string(" diverged"), ";");
      if (accuracy > best_accuracy) {
        best_accuracy = accuracy;
        tuned_[arm] = lr;
        best[arm] = result;
      }
    }
    line += text(" chosen ", tuned_[arm]);
    tuning_notes_.push_back(line);
    say_(line);
  }
}

void Reproduction::note_difficulty(Table& table, const Group& group) const {
  if (!recipe_.knows_difficulty) return;
  const std::string folder = group.teachers + "/" + arm_info(Arm::regulated_teacher).id;
  const Significance significance = read_significance_csv(folder + "/significance.csv");
  RunOptions o = arm_options(recipe_, Arm::regulated_teacher, group.seed);
  const Dataset data = dataset_of(o);
  std::vector<double> counts(significance.count.begin(), significance.count.end());
  std::vector<double> difficulty(data.train.difficulty.begin(), data.train.difficulty.end());
  char line[160];
  std::snprintf(line, sizeof line, "significance against the samples' true difficulty: Spearman %.2f over %zu samples",
                spearman(counts, difficulty), counts.size());
  table.notes.emplace_back(line);
}

Table Reproduction::execute() {
  const int seeds = options_.seeds > 0 ? options_.seeds : recipe_.seeds;
  tune();
  std::map<Arm, ArmRuns> rows;
  Group first;
  for (int seed = 1; seed <= seeds; ++seed) {
    Group group{options_.out + "/seed-" + std::to_string(seed), static_cast<std::uint32_t>(seed), 0, {}};
    const bool own_teachers = seed == 1 || !recipe_.shares_teachers;
    group.teachers = own_teachers ? group.folder : first.folder;
    if (seed == 1) first = group;
    std::map<Arm, RunResult> done;
    for (const ArmInfo& info : arms()) {
      const bool teacher = info.arm == Arm::teacher || info.arm == Arm::regulated_teacher;
      if (teacher && !own_teachers) continue;
      const double lr = lr_of(info.arm);
      const RunResult result =
          run(group, info.arm, info.id, lr, &done[Arm::kd], &done[Arm::significance], &done[Arm::regulated]);
      done[info.arm] = result;
      ArmRuns& row = rows[info.arm];
      row.arm = info.arm;
      row.results.push_back(result);
      if (seed > 1) continue;
      row.folder = text("seed-", seed, "/", info.id);
      row.lr = RunFolder(options_.out + "/" + row.folder).read_config()->lr;
    }
  }

  Table table;
  table.recipe = recipe_.name;
  table.title = text("retort reproduce ", recipe_.name, ": ", recipe_.teacher_net, " -> ", recipe_.student_net, " on ",
                     recipe_.base.data.substr(0, recipe_.base.data.find(':')), ", ", seeds, seeds == 1 ? " seed" : " seeds",
                     " (mean ± standard error)");
  table.published = recipe_.published;
  table.published_source = recipe_.published_source;
  for (const ArmInfo& info : arms()) table.rows.push_back(rows[info.arm]);
  const RunResult& conventional = rows[Arm::teacher].results.front();
  table.conventional_samples = conventional.epochs * conventional.train_samples;
  table.notes.push_back(text("100 % of forwarded and backwarded: ", conventional.epochs, " epochs of ", conventional.train_samples,
                             " samples. A masked sample is still computed: compare seconds and GFLOP, not samples, for time."));
  if (!recipe_.published_source.empty()) table.notes.push_back("published: " + recipe_.published_source);
  if (recipe_.shares_teachers && seeds > 1) table.notes.emplace_back("All seeds share the teachers of seed 1.");
  note_difficulty(table, first);
  if (!tuning_notes_.empty()) table.notes.push_back(text("learning rates chosen on ", recipe_.tune_held_out, " held-out training images (seed 1001):"));
  for (const std::string& note : tuning_notes_) table.notes.push_back("  " + note);
  write_file_atomically(options_.out + "/table.md", to_markdown(table));
  write_file_atomically(options_.out + "/table.csv", to_csv(table));
  write_file_atomically(options_.out + "/table.json", to_json(table) + "\n");
  return table;
}

}  // namespace

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  RETORT_CHECK(a.size() == b.size() && a.size() > 1, "spearman: ", a.size(), " and ", b.size(), " values");
  const std::vector<double> x = ranks(a), y = ranks(b);
  const double mean = (static_cast<double>(a.size()) - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

Table reproduce(Recipe recipe, const ReproduceOptions& options, const LineSink& say) {
  return Reproduction(std::move(recipe), options, say).execute();
}

}  // namespace retort
