// The runs that a recipe comes to, and where each of them lives.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "distill/reproduce/recipe.h"
#include "distill/reproduce/reproduce_options.h"

namespace retort {

/// Runs that belong together: a seed of the table, or the tuning runs.
struct RunGroup {
  std::string folder;  ///< "seed-3", "tune"
  std::uint32_t seed = 1;
  std::string teachers_folder;  ///< of the group whose teachers are used
  std::uint32_t teachers_seed = 1;
  int held_out = 0;  ///< training images used in place of the test set
};

struct Job {
  const Arm* arm = nullptr;
  const NetworkPair* pair = nullptr;
  std::uint32_t seed = 1;
  int held_out = 0;
  double lr = -1;                            ///< in place of the arm's; negative: the arm's
  std::string folder;                        ///< below the reproduction's
  std::map<std::string, std::string> needs;  ///< arm id to folder, of what it needs
};

/// One of the recipe's seeds.
RunGroup seed_group(const Recipe& recipe, int seed);
/// Held-out training images, a seed that no table has.
RunGroup tune_group(const Recipe& recipe);

/// FOLDER is NETWORK/GROUP/ARM for what learns from labels, and so is shared by pairs, TEACHER--STUDENT/GROUP/ARM for
/// the rest. `name` replaces the arm's.
Job make_job(const Recipe& recipe, const NetworkPair& pair, const Arm& arm, const RunGroup& group,
             const std::string& name = {}, double lr = -1);
/// The tuning runs of an arm on one pair: teachers once, a student at each of the recipe's rates. None of an arm that
/// runs at another's rate.
std::vector<Job> tuning_jobs(const Recipe& recipe, const NetworkPair& pair, const Arm& arm);
/// Every run once, in the order in which they run.
std::vector<Job> all_jobs(const Recipe& recipe, bool tunes);
/// Whether learning rates are chosen first.
inline bool tunes(const Recipe& recipe, const ReproduceOptions& options) {
  return !recipe.rates.empty() && (options.tune || recipe.always_tunes);
}

/// The resolved options of a job; what depends on the results of others is left as it is without them.
RunOptions options_of(const Recipe& recipe, const Job& job, const ReproduceOptions& options);

}  // namespace retort
