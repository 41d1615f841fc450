// retort teach, retort distill
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include "data/file.h"
#include "distill/commands.h"
#include "distill/interrupt.h"
#include "distill/options.h"
#include "distill/task.h"
#include "distill/trainer.h"
#include "kernels/error.h"

namespace retort {
namespace {

struct TrainArguments {
  RunOptions options;
  std::string config;
  bool resume = false;
  bool json = false;
};

/// Options that only one of the commands has.
bool belongs(const std::string& command, const std::string& option) {
  static const std::set<std::string> distill_only = {"method", "teacher", "teacher-net", "significance", "weights", "top-share",
                                                     "temperature", "alpha", "cache-teacher", "fold-teacher", "mix", "mix-share", "mix-beta",
                                                     "encoders", "tst-phases", "tst-length", "tst-module", "tst-terms"};
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

/// Numbers that a data set's recipe fills in.
bool recipe_decides(const std::string& option) {
  static const std::set<std::string> open = {"epochs", "lr", "momentum", "nesterov", "weight-decay", "clip-norm"};
  return open.count(option) > 0;
}

using OptionNames = std::set<std::string>;

OptionNames given_on_command_line(const CLI::App* command) {
  OptionNames given;
  visit_option_members([&](const char* name, auto, const char*) {
    const CLI::Option* option = command->get_option_no_throw(std::string("--") + name);
    if (option != nullptr && option->count() > 0) given.insert(name);
  });
  return given;
}

/// A negative number is how RunOptions says that the recipe decides. A user who types one means something else.
void check_not_negative(const RunOptions& options, const OptionNames& given) {
  visit_options(options, [&](const char* name, const auto& value, const char*) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
      RETORT_CHECK(given.count(name) == 0 || !(value < 0) || !recipe_decides(name), "--", name, " ", value, ": must not be negative");
    }
  });
}

/// Takes over the options that the command line gives.
void take_over(const RunOptions& command_line, const OptionNames& given, RunOptions& options) {
  visit_option_members([&](const char* name, auto member, const char*) {
    if (given.count(name) > 0) options.*member = command_line.*member;
  });
}

void check_resumable(const RunOptions& stored, const RunOptions& command_line, const OptionNames& given,
                     const std::string& config) {
  for (const std::string& name : given) {
    RunOptions changed = stored;
    take_over(command_line, {name}, changed);
    RETORT_CHECK(may_change_at_resume(name) || same_run(changed, stored),
                 "--", name, " cannot be changed by --resume; the run's options are in ", config);
  }
}

void run(const TrainArguments& arguments, const CLI::App* command) {
  install_interrupt_handlers();
  RunOptions options = arguments.options;
  const OptionNames given = given_on_command_line(command);
  check_not_negative(options, given);
  const std::string own = options.out + "/config.toml";
  const bool continues = arguments.resume && arguments.config.empty() && std::filesystem::exists(own);
  const std::string config = continues ? own : arguments.config;
  if (!config.empty()) {
    options = from_toml(read_text(config), config);
    RETORT_CHECK(options.command == arguments.options.command, config, " is a configuration for 'retort ",
                 options.command, "'");
    if (arguments.resume) {
      check_resumable(options, arguments.options, given, config);
      options.max_steps = 0;  // it has served
    }
    take_over(arguments.options, given, options);
    options.out = arguments.options.out;
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
    std::printf("last %s %s, best %s (epoch %d); run folder %s\n", result.metric.c_str(),
                metric_text(result.metric, result.last).c_str(), metric_text(result.metric, result.best).c_str(),
                result.best_epoch, options.out.c_str());
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
