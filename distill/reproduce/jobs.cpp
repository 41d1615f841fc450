#include "distill/reproduce/jobs.h"

#include <set>

#include "kernels/error.h"

namespace retort {
namespace {

std::string place_of(const NetworkPair& pair, const Arm& arm) {
  if (!arm.taught_by.empty()) return pair.teacher + "--" + pair.student;
  return arm.trains_teacher ? pair.teacher : pair.student;
}

std::string folder_of(const NetworkPair& pair, const Arm& arm, const RunGroup& group, const std::string& name) {
  const std::string& part = arm.trains_teacher ? group.teachers_folder : group.folder;
  return place_of(pair, arm) + "/" + part + "/" + (name.empty() ? arm.id : name);
}

}  // namespace

RunGroup seed_group(const Recipe& recipe, int seed) {
  RunGroup group;
  group.folder = text("seed-", seed);
  group.seed = static_cast<std::uint32_t>(seed);
  group.teachers_seed = recipe.shares_teachers ? 1 : group.seed;
  group.teachers_folder = text("seed-", group.teachers_seed);
  return group;
}

RunGroup tune_group(const Recipe& recipe) {
  constexpr std::uint32_t seed = 1001;
  return {"tune", seed, "tune", seed, recipe.held_out};
}

Job make_job(const Recipe& recipe, const NetworkPair& pair, const Arm& arm, const RunGroup& group,
             const std::string& name, double lr) {
  Job job;
  job.arm = &arm;
  job.pair = &pair;
  job.seed = arm.trains_teacher ? group.teachers_seed : group.seed;
  job.held_out = group.held_out;
  job.lr = lr;
  job.folder = folder_of(pair, arm, group, name);
  for (const std::string& id : arm.needs()) job.needs[id] = folder_of(pair, recipe.arm(id), group, {});
  return job;
}

std::vector<Job> tuning_jobs(const Recipe& recipe, const NetworkPair& pair, const Arm& arm) {
  const RunGroup group = tune_group(recipe);
  if (arm.trains_teacher) return {make_job(recipe, pair, arm, group)};
  std::vector<Job> jobs;
  if (!arm.seconds_of.empty()) return jobs;
  for (const double rate : recipe.rates)
    jobs.push_back(make_job(recipe, pair, arm, group, text(arm.id, "-lr", rate), rate));
  return jobs;
}

std::vector<Job> all_jobs(const Recipe& recipe, bool tunes) {
  std::vector<Job> jobs;
  std::set<std::string> seen;
  const auto add = [&](const Job& job) {
    if (seen.insert(job.folder).second) jobs.push_back(job);
  };
  if (tunes) {
    for (const NetworkPair& pair : recipe.pairs) {
      for (const Arm& arm : recipe.arms) {
        for (const Job& job : tuning_jobs(recipe, pair, arm)) add(job);
      }
    }
  }
  for (int seed = 1; seed <= recipe.seeds; ++seed) {
    for (const NetworkPair& pair : recipe.pairs) {
      for (const Arm& arm : recipe.arms) add(make_job(recipe, pair, arm, seed_group(recipe, seed)));
    }
  }
  return jobs;
}

RunOptions options_of(const Recipe& recipe, const Job& job, const ReproduceOptions& options) {
  RunOptions o = arm_options(recipe, *job.pair, *job.arm, job.seed);
  o.threads = options.threads;
  o.device = options.device;
  o.precision = options.precision;
  o.val_split = job.held_out;
  if (job.lr > 0) o.lr = job.lr;
  if (!job.arm->taught_by.empty()) o.teacher = options.out + "/" + job.needs.at(job.arm->taught_by);
  o.out = options.out + "/" + job.folder;
  resolve(o);
  return o;
}

}  // namespace retort
