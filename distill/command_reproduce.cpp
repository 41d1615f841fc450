// retort reproduce
#include <cstdio>
#include <memory>

#include "distill/commands.h"
#include "distill/interrupt.h"
#include "distill/reproduce.h"
#include "kernels/error.h"

namespace retort {

void add_reproduce_command(CLI::App& app) {
  struct Arguments {
    std::string recipe, data_dir;
    bool list = false, json = false;
    ReproduceOptions options;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("reproduce", "Run a named comparison of methods and print its table");
  command->add_option("recipe", a->recipe, "demo or mnist");
  command->add_flag("--list", a->list, "the recipes");
  command->add_option("--data-dir", a->data_dir, "folder of the data set's files");
  command->add_option("--out", a->options.out, "folder for runs and tables; default runs/RECIPE");
  command->add_option("--seeds", a->options.seeds, "number of seeds; default: the recipe's");
  command->add_option("--device", a->options.device, "auto, cpu or cuda");
  command->add_option("--precision", a->options.precision, "fp32, tf32 or bf16");
  command->add_option("--threads", a->options.threads, "CPU threads; 0: all cores");
  command->add_flag("--json", a->json, "print table.json instead of the table, and no progress");
  command->callback([a] {
    if (a->list) {
      for (const auto& [name, summary] : recipe_list()) std::printf("%-10s %s\n", name.c_str(), summary.c_str());
      return;
    }
    install_interrupt_handlers();
    RETORT_CHECK(!a->recipe.empty(), "which recipe? (retort reproduce --list)");
    RETORT_CHECK(a->options.seeds >= 0, "--seeds ", a->options.seeds);
    if (a->options.out.empty()) a->options.out = "runs/" + a->recipe;
    const LineSink say = [&](const std::string& line) {
      if (a->json) return;
      std::printf("%s\n", line.c_str());
      std::fflush(stdout);
    };
    try {
      const Table table = reproduce(make_recipe(a->recipe, a->data_dir), a->options, say);
      std::printf("%s%s", a->json ? "" : "\n", a->json ? to_json(table).c_str() : to_markdown(table).c_str());
      std::printf("%s", a->json ? "\n" : "");
      if (!a->json) std::printf("written: %s/table.md, table.csv, table.json\n", a->options.out.c_str());
    } catch (const Error&) {
      if (!interrupted()) throw;
      std::printf("stopped; the same command continues where it was\n");
    }
  });
}

}  // namespace retort
