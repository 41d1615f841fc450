// retort teach, retort distill
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include "distill/commands.h"
#include "distill/interrupt.h"
#include "distill/options.h"
#include "distill/trainer.h"
#include "engine/atomic_file.h"
#include "kernels/error.h"

namespace retort {
namespace {

struct TrainArguments {
  RunOptions options;
  std::string config;
  bool resume = false;
  bool json = false;
  std::set<std::string> given;  // options on the command line; they win over --config
};

/// Options that only one of the commands has.
bool belongs(const std::string& command, const std::string& option) {
  static const std::set<std::string> distill_only = {"method", "teacher", "significance", "weights", "top-share",
                                                     "temperature", "alpha", "cache-teacher"};
  static const std::set<std::string> teach_only = {"label-smoothing"};
  return command == "distill" ? teach_only.count(option) == 0 : distill_only.count(option) == 0;
}

struct AddOption {
  CLI::App* command;
  TrainArguments* arguments;
  template <typename T>
  void operator()(const char* name, T& field, const char* help) {
    if (!belongs(arguments->options.command, name)) return;
    CLI::Option* option = command->add_option(std::string("--") + name, field, help);
    if constexpr (std::is_same_v<T, std::vector<double>>) option->delimiter(',');
  }
};

/// Takes over from a file what the command line did not give.
struct Merge {
  const CLI::App* command;
  std::vector<std::string>* kept;
  template <typename T>
  void operator()(const char* name, T&, const char*) {
    const CLI::Option* option = command->get_option_no_throw(std::string("--") + name);
    if (option != nullptr && option->count() > 0) kept->push_back(name);
  }
};

/// Copies the named options from one set to another.
void copy_options(const std::vector<std::string>& names, RunOptions& from, RunOptions& to) {
  const std::set<std::string> wanted(names.begin(), names.end());
  RunOptions merged = to;
  std::string text = to_toml(from);
  const RunOptions source = from_toml(text, "command line");
  visit_options(merged, [&](const char* name, auto& field, const char*) {
    if (wanted.count(name) == 0) return;
    RunOptions copy = source;
    visit_options(copy, [&](const char* other, auto& value, const char*) {
      if constexpr (std::is_same_v<decltype(value), decltype(field)>) {
        if (std::string(other) == name) field = value;
      }
    });
  });
  to = merged;
}

void run(TrainArguments& arguments, const CLI::App* command) {
  install_interrupt_handlers();
  RunOptions options = arguments.options;
  std::vector<std::string> given;
  visit_options(arguments.options, Merge{command, &given});
  std::string base = arguments.config;
  const std::string own = options.out + "/config.toml";
  if (arguments.resume && base.empty() && std::filesystem::exists(own)) base = own;
  if (!base.empty()) {
    std::FILE* probe = std::fopen(base.c_str(), "rb");
    RETORT_CHECK_AS(ErrorKind::input, probe != nullptr, "cannot read ", base);
    std::string content;
    char block[4096];
    for (std::size_t n; (n = std::fread(block, 1, sizeof block, probe)) > 0;) content.append(block, n);
    std::fclose(probe);
    RunOptions merged = from_toml(content, base);
    RETORT_CHECK(merged.command == options.command, base, " is a configuration for 'retort ", merged.command, "'");
    if (arguments.resume && !given.empty()) {
      // How long to go on and how often to save may change; what is computed may not.
      for (const std::string& name : given) {
        RunOptions changed = merged;
        copy_options({name}, options, changed);
        RETORT_CHECK(name == "max-steps" || name == "save-every-steps" || name == "threads" || same_run(changed, merged),
                     "--", name, " cannot be changed by --resume; the run's options are in ", base);
      }
      if (command->get_option_no_throw("--max-steps")->count() == 0) merged.max_steps = 0;
    } else if (arguments.resume) {
      merged.max_steps = 0;
    }
    copy_options(given, options, merged);
    merged.out = options.out;
    options = merged;
  }
  resolve(options);
  const auto say = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  const RunResult result = train(options, arguments.resume, arguments.json ? LineSink([](const std::string&) {}) : say);
  if (arguments.json) {
    std::printf("%s\n", to_json(result).c_str());
  } else if (result.finished) {
    std::printf("last %s %.2f %%, best %.2f %% (epoch %d); run folder %s\n", result.metric.c_str(), 100 * result.last,
                100 * result.best, result.best_epoch, options.out.c_str());
  }
}

void add(CLI::App& app, const std::string& name, const std::string& help) {
  auto arguments = std::make_shared<TrainArguments>();
  arguments->options.command = name;
  CLI::App* command = app.add_subcommand(name, help);
  visit_options(arguments->options, AddOption{command, arguments.get()});
  command->add_option("--out", arguments->options.out, "run folder")->required();
  command->add_option("--config", arguments->config, "read options from a config.toml; the command line wins");
  command->add_flag("--resume", arguments->resume, "continue the run in --out, bit for bit");
  command->add_flag("--json", arguments->json, "print the result as one JSON object and nothing else");
  command->callback([arguments, command] { run(*arguments, command); });
}

}  // namespace

void add_train_commands(CLI::App& app) {
  add(app, "teach", "Train a network on labels, with or without self-regulation");
  add(app, "distill", "Train a student from a teacher: kd, significance, regulated or hybrid");
}

}  // namespace retort
