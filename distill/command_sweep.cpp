// retort sweep
#include <cstdio>
#include <memory>

#include "distill/commands.h"
#include "distill/interrupt.h"
#include "distill/reproduce/reproduce.h"
#include "distill/reproduce/sweep.h"
#include "engine/atomic_file.h"
#include "kernels/error.h"

namespace retort {
namespace {

struct SweepArguments {
  std::string recipe, method = "regulated", data_dir, budget = "full";
  std::vector<std::string> varied, pairs;
  ReproduceOptions options;
};

void run(const SweepArguments& a) {
  install_interrupt_handlers();
  Recipe recipe = find_recipe(a.recipe, a.budget == "quick");
  select(recipe, {}, a.pairs);
  locate_data(recipe, a.data_dir);
  std::vector<Variation> variations;
  for (const std::string& words : a.varied) variations.push_back(parse_variation(words));
  recipe = sweep_recipe(recipe, a.method, variations);
  ReproduceOptions options = a.options;
  if (options.out.empty()) options.out = "runs/" + recipe.name;
  const LineSink say = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  try {
    const Table table = reproduce(recipe, options, say);
    if (options.plan_only) return;
    const std::string frontier = frontier_to_markdown(table);
    write_file_atomically(options.out + "/frontier.md", frontier);
    write_file_atomically(options.out + "/frontier.csv", frontier_to_csv(table));
    std::printf("\n%s\n%s\nwritten: %s/table.md, table.csv, table.json, frontier.md, frontier.csv\n",
                to_markdown(table).c_str(), frontier.c_str(), options.out.c_str());
  } catch (const Error&) {
    if (!interrupted()) throw;
    std::printf("stopped; the same command continues where it was\n");
  }
}

}  // namespace

void add_sweep_command(CLI::App& app) {
  auto a = std::make_shared<SweepArguments>();
  CLI::App* command = app.add_subcommand(
      "sweep", "One method of a recipe under several values of one or two options: accuracy against cost");
  command->add_option("recipe", a->recipe, "a name of retort reproduce --list, or a TOML file")->required();
  command->add_option("--method", a->method, "which row of the recipe")->capture_default_str();
  command->add_option("--vary", a->varied, "OPTION=VALUE,VALUE,...; once or twice, e.g. confidence=0.5,0.7,0.9")
      ->required();
  command->add_option("--data-dir", a->data_dir, "folder of the data set's files");
  command->add_option("--out", a->options.out, "folder for runs and tables; default runs/RECIPE-sweep");
  command->add_option("--seeds", a->options.seeds, "number of seeds; default: the recipe's")
      ->check(CLI::Range(1, 1000));
  command->add_option("--budget", a->budget, "quick: the recipe's short form")->check(CLI::IsMember({"quick", "full"}));
  command->add_option("--only", a->pairs, "pairs of networks, TEACHER:STUDENT")->delimiter(',');
  command->add_flag("--plan", a->options.plan_only, "say how many runs there are and how long they take, and run none");
  command->add_option("--device", a->options.device, "auto, cpu or cuda");
  command->add_option("--precision", a->options.precision, "fp32, tf32 or bf16");
  command->add_option("--threads", a->options.threads, "CPU threads; 0: all cores")->check(CLI::Range(0, 4096));
  command->callback([a] { run(*a); });
}

}  // namespace retort
