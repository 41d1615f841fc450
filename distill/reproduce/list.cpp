#include "distill/reproduce/list.h"

#include <cstdio>
#include <memory>

#include "distill/reproduce/estimate.h"

namespace retort {
namespace {

void print_words(const char* head, const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : ", ") + word;
  std::printf("  %-10s %s\n", head, line.c_str());
}

void print_cost(const char* head, const Recipe& recipe, const ReproduceOptions& options, Estimator& estimator) {
  Estimate estimate;
  const std::vector<Job> jobs = all_jobs(recipe, tunes(recipe, options));
  for (const Job& job : jobs) estimate += estimate_of(recipe, job, options, estimator);
  std::printf("  %-10s at most %s; %zu runs, %d %s\n", head, in_words(estimate).c_str(), jobs.size(), recipe.seeds,
              recipe.seeds == 1 ? "seed" : "seeds");
  std::fflush(stdout);
}

}  // namespace

void print_recipe_list(const ReproduceOptions& options) {
  for (const std::string& name : recipe_names()) {
    const Recipe recipe = find_recipe(name, false), quick = find_recipe(name, true);
    std::printf("%s: %s\n", name.c_str(), recipe.summary.c_str());
    std::vector<std::string> pairs, arms;
    for (const NetworkPair& pair : recipe.pairs) pairs.push_back(pair.teacher + " -> " + pair.student);
    for (const Arm& arm : recipe.arms) arms.push_back(arm.id);
    print_words("networks", pairs);
    print_words("methods", arms);
    Estimator estimator(recipe.data, options.device, options.precision, options.threads);
    print_cost("full", recipe, options, estimator);
    if (quick.has_quick) print_cost("quick", quick, options, estimator);
  }
}

}  // namespace retort
