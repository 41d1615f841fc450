#include "distill/reproduce/reproduce.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "distill/folder_lock.h"
#include "distill/interrupt.h"
#include "distill/methods/method.h"
#include "distill/progress.h"
#include "distill/reproduce/estimate.h"
#include "distill/reproduce/jobs.h"
#include "distill/reproduce/statistics.h"
#include "distill/run_setup.h"
#include "distill/task.h"
#include "engine/atomic_file.h"
#include "engine/safetensors.h"

namespace retort {
namespace {

bool diverged(const RunOutcome& outcome) {
  return outcome.problem.find("diverged") != std::string::npos;
}

class Reproduction {
 public:
  Reproduction(Recipe recipe, const ReproduceOptions& options, const LineSink& say)
      : recipe_(std::move(recipe)), options_(options), say_(say) {
    if (options_.seeds > 0) recipe_.seeds = options_.seeds;
  }

  Table execute();

 private:
  std::string path(const std::string& folder) const { return options_.out + "/" + folder; }
  void fill_in_needs(const Job& job, RunOptions& options);
  RunOutcome run(const Job& job);
  RunOutcome train(const Job& job, const RunOptions& options) const;
  void make_encoders_of(const RunOptions& options) const;
  void announce();
  void tune();
  void tune(const NetworkPair& pair);
  double tuned_rate(const NetworkPair& pair, const Arm& arm) const;
  Job job_of(const NetworkPair& pair, const Arm& arm, int seed) const;
  std::vector<std::string> difficulty_note() const;
  Table table() const;
  void write(const Table& table) const;

  Recipe recipe_;
  const ReproduceOptions& options_;
  const LineSink& say_;
  std::map<std::string, RunOutcome> outcomes_;  ///< by folder
  /// By pair and arm: the tuning run that was best on held-out images.
  std::map<std::pair<std::string, std::string>, Job> best_;
  std::vector<std::string> tuning_notes_;
};

std::string key_of(const NetworkPair& pair) {
  return pair.teacher + ":" + pair.student;
}

/// What other runs decide.
void Reproduction::fill_in_needs(const Job& job, RunOptions& o) {
  const Arm& arm = *job.arm;
  const auto result_of = [&](const std::string& id) -> const RunResult& {
    return outcomes_.at(job.needs.at(id)).result;
  };
  if (!arm.subset_of.empty()) o.subset = std::to_string(result_of(arm.subset_of).samples_in_use);
  if (!arm.share_of.empty()) o.random_share = result_of(arm.share_of).participation;
  if (arm.seconds_of.empty()) return;
  // The length is a measurement: a run that has begun keeps the one it began with.
  const RunResult &whole = result_of(arm.like), &shorter = result_of(arm.seconds_of);
  const double share = shorter.timing.compute / std::max(1e-9, whole.timing.compute);
  const auto begun = RunFolder(o.out).read_config();
  const double full = o.epochs;
  o.epochs = begun ? begun->epochs : std::max(0.1, full * std::min(1.0, share));
  if (!begun) {
    for (double& milestone : o.milestones) milestone *= o.epochs / full;
  } else {
    o.milestones = begun->milestones;
  }
}

RunOutcome Reproduction::train(const Job& job, const RunOptions& o) const {
  say_(text("== ", job.folder, ": ", job.arm->label, ", ", o.net, ", lr ", o.lr, ", ", o.epochs, " epochs"));
  const auto once = [&] {
    RunOutcome outcome = run_in_process(o, options_.program, say_);
    // Nor could the runs after it.
    if (outcome.cannot_write) fail(ErrorKind::output, outcome.problem + "; the same command goes on from here");
    return outcome;
  };
  RunOutcome outcome = once();
  if (!outcome.problem.empty() && !diverged(outcome) && !interrupted()) {
    say_(text(job.folder, ": ", outcome.problem, "; once more, from its last checkpoint"));
    outcome = once();
  }
  if (!outcome.problem.empty()) say_(text(job.folder, ": ", outcome.problem));
  return outcome;
}

/// TST's encoders depend on the data alone: they are made once, and each teacher's folder gets a copy for its students.
void Reproduction::make_encoders_of(const RunOptions& o) const {
  const std::string file = o.teacher + "/encoders.safetensors", first = path("encoders.safetensors");
  if (!find_method(o.method).transforms || !o.encoders.empty() || std::filesystem::exists(file)) return;
  if (!std::filesystem::exists(first)) {
    say_("== encoders of image operations, for tst");
    const ProcessEnd end = run_program({"tst-pretrain", "--data", o.data, "--out", first, "--device", o.device,
                                        "--threads", std::to_string(o.threads)},
                                       options_.program, say_);
    if (interrupted()) fail(ErrorKind::internal, "stopped");
    if (end.cannot_write) fail(ErrorKind::output, end.problem + "; the same command goes on from here");
    if (!end.problem.empty()) fail(ErrorKind::internal, "tst-pretrain: " + end.problem);
  }
  write_safetensors(file, read_safetensors(first));
}

/// At most once a folder.
RunOutcome Reproduction::run(const Job& job) {
  const auto known = outcomes_.find(job.folder);
  if (known != outcomes_.end()) return known->second;
  RunOutcome& outcome = outcomes_[job.folder];
  for (const auto& [id, folder] : job.needs) {
    if (outcomes_.at(folder).result.finished) continue;
    outcome.problem = text("not run: '", id, "' failed");
    return outcome;
  }
  RunOptions o = options_of(recipe_, job, options_);
  fill_in_needs(job, o);
  const RunFolder folder(o.out);
  const auto config = folder.read_config();
  RETORT_CHECK(!config || same_run(*config, o), o.out, " was made with other options (",
               config ? first_difference(*config, o) : "", "): delete it, or give another --out");
  if (const auto done = folder.read_result(); done && done->finished) {
    outcome.result = *done;
    say_(text(job.folder, ": finished before, ", done->metric, " ", metric_text(done->metric, done->last)));
    return outcome;
  }
  if (o.command == "distill") make_encoders_of(o);
  outcome = train(job, o);
  if (interrupted()) fail(ErrorKind::internal, "stopped");
  return outcome;
}

Job Reproduction::job_of(const NetworkPair& pair, const Arm& arm, int seed) const {
  return make_job(recipe_, pair, arm, seed_group(recipe_, seed), {}, tuned_rate(pair, arm));
}

/// How many runs there are, how many are finished, and how long the others will take.
void Reproduction::announce() {
  std::vector<Job> left = all_jobs(recipe_, tunes(recipe_, options_));
  const std::size_t all = left.size();
  std::erase_if(left, [&](const Job& job) {
    if (!std::filesystem::exists(path(job.folder))) return false;
    const auto result = RunFolder(path(job.folder)).read_result();
    return result && result->finished;
  });
  Estimator estimator(recipe_.data, options_.device, options_.precision, options_.threads);
  Estimate estimate;
  for (const Job& job : left) estimate += estimate_of(recipe_, job, options_, estimator);
  say_(text(all, all == 1 ? " run, " : " runs, ", all - left.size(), " of them finished; the others take at most ",
            in_words(estimate)));
}

/// Each student arm at the learning rate that serves it best on held-out training images.
void Reproduction::tune(const NetworkPair& pair) {
  for (const Arm& arm : recipe_.arms) {
    std::string line = arm.label + ":";
    double best_goodness = 0;
    bool found = false;
    for (Job job : tuning_jobs(recipe_, pair, arm)) {
      // What it needs is the best of what was tuned before.
      for (auto& [id, folder] : job.needs) {
        const auto best = best_.find({key_of(pair), id});
        if (best != best_.end()) folder = best->second.folder;
      }
      const RunOutcome outcome = run(job);
      if (arm.trains_teacher) continue;
      const RunResult& result = outcome.result;
      line += text(" ", job.lr, result.finished ? " -> " + metric_text(result.metric, result.last) : " failed", ";");
      if (!result.finished) continue;
      const double goodness = result.metric == "accuracy" ? result.last : -result.last;
      if (found && goodness <= best_goodness) continue;
      found = true;
      best_goodness = goodness;
      best_[{key_of(pair), arm.id}] = job;
    }
    if (arm.trains_teacher || !found) continue;
    line += text(" chosen ", best_.at({key_of(pair), arm.id}).lr);
    if (recipe_.pairs.size() > 1) line = key_of(pair) + ", " + line;
    tuning_notes_.push_back(line);
    say_(line);
  }
}

void Reproduction::tune() {
  if (!tunes(recipe_, options_)) return;
  say_(text("choosing learning rates on ", recipe_.held_out, " held-out training images"));
  for (const NetworkPair& pair : recipe_.pairs) tune(pair);
}

/// Negative: as the recipe says.
double Reproduction::tuned_rate(const NetworkPair& pair, const Arm& arm) const {
  auto best = best_.find({key_of(pair), arm.id});
  if (best == best_.end() && !arm.like.empty()) best = best_.find({key_of(pair), arm.like});
  return best == best_.end() ? -1 : best->second.lr;
}

/// Where the data set knows how hard each sample is: whether significance found it out.
std::vector<std::string> Reproduction::difficulty_note() const {
  const auto arm =
      std::find_if(recipe_.arms.begin(), recipe_.arms.end(), [](const Arm& a) { return a.id == "teacher-regulated"; });
  if (arm == recipe_.arms.end() || recipe_.data.rfind("synthetic", 0) != 0) return {};
  const Job job = job_of(recipe_.pairs.front(), *arm, 1);
  const auto done = outcomes_.find(job.folder);
  if (done == outcomes_.end() || !done->second.result.finished) return {};
  const Significance significance = read_significance_csv(path(job.folder) + "/significance.csv");
  const Dataset data = dataset_of(options_of(recipe_, job, options_));
  const std::vector<double> counts(significance.count.begin(), significance.count.end());
  const std::vector<double> difficulty(data.train.difficulty.begin(), data.train.difficulty.end());
  char line[160];
  std::snprintf(line, sizeof line, "significance against the samples' true difficulty: Spearman %.2f over %zu samples",
                spearman(counts, difficulty), counts.size());
  return {line};
}

/// What 100 % of forwards and backwards comes from; no samples: all of the data set.
struct Conventional {
  double epochs = 0, samples = 0;
};

/// Whose epochs and samples 100 % is: a student's is what it is compared with.
std::string conventional_row(const Arm& arm, const std::vector<TableRow>& rows) {
  const auto there = [&](const std::string& id) {
    return std::any_of(rows.begin(), rows.end(), [&](const TableRow& row) { return row.arm.id == id; });
  };
  if (arm.trains_teacher) return arm.id;
  if (!arm.against.empty() && there(arm.against)) return arm.against;
  return there("kd") ? "kd" : arm.id;
}

Table Reproduction::table() const {
  Table table;
  table.recipe = recipe_.name;
  const std::string data = recipe_.data.substr(0, recipe_.data.find(':'));
  const NetworkPair& pair = recipe_.pairs.front();
  table.title = text("retort reproduce ", recipe_.name, ": ", data, ", ",
                     recipe_.pairs.size() == 1 ? pair.teacher + " -> " + pair.student
                                               : text(recipe_.pairs.size(), " pairs of networks"),
                     ", ", recipe_.seeds, recipe_.seeds == 1 ? " seed" : " seeds (mean ± standard deviation)");
  for (const NetworkPair& each : recipe_.pairs) {
    TableSection section;
    section.pair = each;
    std::map<std::string, Conventional> conventional;
    for (const Arm& arm : recipe_.arms) {
      TableRow row;
      row.arm = arm;
      const RunOptions plain = options_of(recipe_, job_of(each, arm, 1), options_);
      row.lr = plain.lr;
      Conventional& own = conventional[arm.id];
      own.epochs = plain.epochs;
      const int seeds = arm.trains_teacher && recipe_.shares_teachers ? 1 : recipe_.seeds;
      for (int seed = 1; seed <= seeds; ++seed) {
        const Job job = job_of(each, arm, seed);
        if (seed == 1) row.folder = job.folder;
        const auto outcome = outcomes_.find(job.folder);
        if (outcome == outcomes_.end()) break;
        row.runs.push_back(outcome->second);
        // The most that any run had: a control may be given a part of them.
        if (!outcome->second.result.finished) continue;
        section.samples = std::max<double>(section.samples, outcome->second.result.train_samples);
        if (!plain.subset.empty()) own.samples = outcome->second.result.train_samples;
      }
      section.rows.push_back(std::move(row));
    }
    for (TableRow& row : section.rows) {
      const Conventional& other = conventional[conventional_row(row.arm, section.rows)];
      row.conventional = other.epochs * (other.samples > 0 ? other.samples : section.samples);
    }
    table.sections.push_back(std::move(section));
  }
  table.notes.push_back(text(
      "Last: after the last epoch; best: of all epochs, chosen on the test set itself. 100 % of forwards and backwards: "
      "the epochs and samples of the row that a row is compared with, of kd, or else its own. A masked sample is still computed: compare seconds and GFLOP, not samples, for time."));
  if (!recipe_.published_from.empty()) table.notes.push_back("Published: " + recipe_.published_from + ".");
  if (recipe_.shares_teachers && recipe_.seeds > 1) table.notes.emplace_back("All seeds share the teachers of seed 1.");
  for (const std::string& line : difficulty_note()) table.notes.push_back(line);
  if (!tuning_notes_.empty()) {
    table.notes.push_back(text("Learning rates chosen on ", recipe_.held_out, " held-out training images (seed ",
                               tune_group(recipe_).seed, "):"));
  }
  for (const std::string& note : tuning_notes_) table.notes.push_back("- " + note);
  return table;
}

void Reproduction::write(const Table& table) const {
  write_file_atomically(path("table.md"), to_markdown(table));
  write_file_atomically(path("table.csv"), to_csv(table));
  write_file_atomically(path("table.json"), to_json(table) + "\n");
}

Table Reproduction::execute() {
  announce();
  if (options_.plan_only) return {};
  const FolderLock lock(options_.out);
  tune();
  // A whole table of one seed first.
  for (int seed = 1; seed <= recipe_.seeds; ++seed) {
    for (const NetworkPair& pair : recipe_.pairs) {
      for (const Arm& arm : recipe_.arms) run(job_of(pair, arm, seed));
      write(table());
    }
  }
  return table();
}

}  // namespace

Table reproduce(Recipe recipe, const ReproduceOptions& options, const LineSink& say) {
  return Reproduction(std::move(recipe), options, say).execute();
}

}  // namespace retort
