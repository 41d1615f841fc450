// retort reproduce
#include <cstdio>
#include <memory>

#include "distill/commands.h"
#include "distill/interrupt.h"
#include "distill/reproduce/list.h"
#include "distill/reproduce/reproduce.h"
#include "kernels/error.h"

namespace retort {
namespace {

struct ReproduceArguments {
  std::string recipe, data_dir, budget = "full";
  std::vector<std::string> arms, pairs;
  bool list = false, json = false;
  ReproduceOptions options;
};

void run(const ReproduceArguments& a) {
  install_interrupt_handlers();
  const LineSink say = [&](const std::string& line) {
    if (a.json) return;
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  Recipe recipe = find_recipe(a.recipe, a.budget == "quick");
  select(recipe, a.arms, a.pairs);
  locate_data(recipe, a.data_dir);
  ReproduceOptions options = a.options;
  if (options.out.empty()) options.out = "runs/" + recipe.name + (a.budget == "quick" ? "-quick" : "");
  try {
    const Table table = reproduce(recipe, options, say);
    if (options.plan_only) return;
    std::printf("%s%s%s", a.json ? "" : "\n", a.json ? to_json(table).c_str() : to_markdown(table).c_str(),
                a.json ? "\n" : "");
    if (!a.json) std::printf("\nwritten: %s/table.md, table.csv, table.json\n", options.out.c_str());
  } catch (const Error&) {
    if (!interrupted()) throw;
    std::printf("stopped; the same command continues where it was\n");
  }
}

}  // namespace

void add_reproduce_command(CLI::App& app) {
  auto a = std::make_shared<ReproduceArguments>();
  CLI::App* command =
      app.add_subcommand("reproduce", "Run a recipe: a comparison of methods, to a table beside the published numbers");
  command->add_option("recipe", a->recipe, "a name of --list, or a TOML file");
  command->add_flag("--list", a->list, "the recipes, what they cost, and how long they would take here");
  command->add_option("--data-dir", a->data_dir, "folder of the data set's files");
  command->add_option("--out", a->options.out, "folder for runs and tables; default runs/RECIPE");
  command->add_option("--seeds", a->options.seeds, "number of seeds; default: the recipe's")
      ->check(CLI::Range(1, 1000));
  command->add_option("--budget", a->budget, "quick: the recipe's short form")->check(CLI::IsMember({"quick", "full"}));
  command->add_option("--only", a->pairs, "pairs of networks, TEACHER:STUDENT")->delimiter(',');
  command->add_option("--methods", a->arms, "rows of the table; what they need is run too")->delimiter(',');
  command->add_flag("--tune", a->options.tune, "choose the students' learning rates on held-out training images first");
  command->add_flag("--plan", a->options.plan_only, "say how many runs there are and how long they take, and run none");
  command->add_option("--device", a->options.device, "auto, cpu or cuda");
  command->add_option("--precision", a->options.precision, "fp32, tf32 or bf16");
  command->add_option("--threads", a->options.threads, "CPU threads; 0: all cores")->check(CLI::Range(0, 4096));
  command->add_flag("--json", a->json, "print table.json instead of the table, and no progress");
  command->callback([a] {
    if (a->list) return print_recipe_list(a->options);
    RETORT_CHECK(!a->recipe.empty(), "which recipe? (retort reproduce --list)");
    run(*a);
  });
}

}  // namespace retort
