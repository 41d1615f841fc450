#include "distill/options.h"

#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <sstream>

#include "distill/checked_toml.h"
#include "distill/dataset_recipe.h"
#include "engine/schedule.h"
#include "kernels/device_info.h"
#include "kernels/error.h"

namespace retort {
namespace {

void one_of(const char* option, const std::string& value, const std::vector<std::string>& known) {
  std::string list;
  for (const auto& name : known) {
    if (name == value) return;
    list += (list.empty() ? "" : ", ") + name;
  }
  fail(ErrorKind::usage, text("--", option, " ", value, ": must be one of ", list));
}

void in_range(const char* option, double value, double low, double high) {
  RETORT_CHECK(value >= low && value <= high, "--", option, " ", value, ": must lie in [", low, ", ", high, "]");
}

template <typename T>
void fill(T& field, const T& recipe, bool open) {
  if (open) field = recipe;
}

/// The fewest digits that read back as the same float; TOML tells floats from integers by a dot or an exponent.
std::string number(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string out(digits.data(), end);
  return out.find_first_of(".en") == std::string::npos ? out + ".0" : out;
}

/// Writes one value as TOML.
struct Writer {
  std::ostringstream out;
  void operator()(const char* name, const std::string& value, const char*) {
    out << name << " = " << toml::value<std::string>(value) << "\n";
  }
  void operator()(const char* name, const std::vector<double>& values, const char*) {
    // Not as a toml::array: it guesses the width of a line by conversions that are undefined for small and infinite
    // numbers.
    std::string list;
    for (const double value : values) list += (list.empty() ? "" : ", ") + number(value);
    out << name << " = [" << list << "]\n";
  }
  void operator()(const char* name, double value, const char*) { out << name << " = " << number(value) << "\n"; }
  template <typename Integer>
  void operator()(const char* name, const Integer& value, const char*) {
    out << name << " = " << value << "\n";
  }
};

struct Reader {
  const toml::table& table;
  const std::string& file;
  std::set<std::string> known{"command"};

  [[noreturn]] void bad(const char* name, const char* wanted) const {
    fail(ErrorKind::input, text(file, ": '", name, "' must be ", wanted));
  }
  void operator()(const char* name, std::string& value, const char*) {
    known.insert(name);
    if (!table.contains(name)) return;
    const auto found = table[name].value_exact<std::string>();
    if (!found) bad(name, "a string");
    value = *found;
  }
  void operator()(const char* name, double& value, const char*) {
    known.insert(name);
    if (!table.contains(name)) return;
    const auto found = table[name].value<double>();
    if (!found) bad(name, "a number");
    value = *found;
  }
  void operator()(const char* name, std::vector<double>& values, const char*) {
    known.insert(name);
    if (!table.contains(name)) return;
    const toml::array* list = table[name].as_array();
    if (list == nullptr) bad(name, "a list of numbers");
    values.clear();
    for (const auto& node : *list) {
      const auto number = node.value<double>();
      if (!number) bad(name, "a list of numbers");
      values.push_back(*number);
    }
  }
  template <typename Integer>
  void operator()(const char* name, Integer& value, const char*) {
    known.insert(name);
    if (!table.contains(name)) return;
    const auto found = table[name].value_exact<std::int64_t>();
    const auto low = static_cast<std::int64_t>(std::numeric_limits<Integer>::min());
    const auto high = static_cast<std::int64_t>(std::numeric_limits<Integer>::max());
    if (!found || *found < low || *found > high) bad(name, "an integer in range");
    value = static_cast<Integer>(*found);
  }
};

}  // namespace

void resolve(RunOptions& o) {
  one_of("method", o.method, {"kd", "significance", "regulated", "hybrid"});
  const bool regulates = o.command == "distill" && (o.method == "regulated" || o.method == "hybrid");
  const DatasetRecipe recipe = dataset_recipe(o.data);
  fill(o.net, o.command == "teach" ? recipe.teacher : recipe.student, o.net.empty());
  fill(o.epochs, recipe.epochs, o.epochs < 0);
  fill(o.batch, recipe.batch, o.batch == 0);
  fill(o.optimizer, std::string("sgd"), o.optimizer.empty());
  fill(o.lr, o.command == "teach" ? recipe.lr : recipe.student_lr, o.lr < 0);
  fill(o.momentum, 0.9, o.momentum < 0);
  fill(o.nesterov, recipe.nesterov, o.nesterov < 0);
  fill(o.weight_decay, recipe.weight_decay, o.weight_decay < 0);
  fill(o.clip_norm, recipe.clip_norm, o.clip_norm < 0);
  if (o.schedule.empty()) {
    o.schedule = recipe.schedule;
    if (o.milestones.empty() && o.schedule == "multi-step") {
      for (const double share : recipe.milestone_shares) o.milestones.push_back(share * o.epochs);
    }
  }
  fill(o.regulation, std::string(regulates ? "mask" : "off"), o.regulation.empty());

  one_of("device", o.device, {"auto", "cpu", "cuda"});
  // Decided once: a run that is resumed stays where it began.
  if (o.device == "auto") o.device = cuda::available() ? "cuda" : "cpu";
  one_of("precision", o.precision, {"fp32", "tf32", "bf16"});
  one_of("graph", o.graph, {"auto", "off"});
  one_of("plans", o.plans, {"tuned", "heuristic"});
  one_of("fast", o.fast, {"on", "off"});
  one_of("weights", o.weights, {"rate", "linear", "log", "top-share"});
  one_of("cache-teacher", o.cache_teacher, {"auto", "on", "off"});
  one_of("fold-teacher", o.fold_teacher, {"auto", "on", "off"});
  if (o.fold_teacher == "auto" && o.command == "distill") o.fold_teacher = "on";  // decided once, as the device is
  one_of("optimizer", o.optimizer, {"sgd", "adamw"});
  one_of("augment", o.augment, {"recipe", "none", "crop", "flip", "crop-flip"});
  one_of("shuffle", o.shuffle, {"on", "off"});
  one_of("regulation", o.regulation, {"off", "mask", "compact", "auto"});
  one_of("mask", o.mask, {"confidence", "random"});
  one_of("confidence-measure", o.confidence_measure, {"max-probability", "margin", "entropy"});
  one_of("divisor", o.divisor, {"batch", "participants"});
  schedule_kind(o.schedule);
  in_range("epochs", o.epochs, 1e-6, 1e6);
  in_range("batch", o.batch, 1, 1 << 16);
  in_range("lr", o.lr, 0, 1e3);
  in_range("momentum", o.momentum, 0, 0.9999);
  in_range("cycle-momentum", o.cycle_momentum, 0, 0.5);
  if (o.schedule == "one-cycle") in_range("cycle-momentum + momentum", o.momentum + o.cycle_momentum, 0, 0.9999);
  in_range("nesterov", o.nesterov, 0, 1);
  in_range("weight-decay", o.weight_decay, 0, 10);
  in_range("clip-norm", o.clip_norm, 0, 1e9);
  in_range("warmup", o.warmup, 0, 1);
  in_range("label-smoothing", o.label_smoothing, 0, 0.999);
  in_range("alpha", o.alpha, 0, 1);
  in_range("temperature", o.temperature, 1e-3, 1e3);
  in_range("confidence", o.confidence, 0, 1.01);
  in_range("confidence-end", o.confidence_end, -1, 1.01);
  in_range("random-share", o.random_share, 0, 1);
  in_range("top-share", o.top_share, 0, 1);
  in_range("rescore", o.rescore, 1, 1e6);
  in_range("threads", o.threads, 0, 4096);
  in_range("max-steps", static_cast<double>(o.max_steps), 0, 1e15);
  in_range("save-every-steps", static_cast<double>(o.save_every_steps), 0, 1e15);
  RETORT_CHECK(!regulates || o.regulation != "off", "--method ", o.method, " needs --regulation mask, compact or auto");
  if (o.regulation == "compact" || o.regulation == "auto") {
    RETORT_CHECK(!o.scoring.empty(), "--regulation ", o.regulation,
                 " needs --scoring training|evaluation: how batch norm behaves in the scoring pass (training: batch "
                 "statistics, the running ones updated; evaluation: running statistics)");
    one_of("scoring", o.scoring, {"training", "evaluation"});
    RETORT_CHECK(o.divisor == "batch", "--divisor participants makes no difference to --regulation ", o.regulation,
                 ": its batches consist of participants");
  }
  RETORT_CHECK(o.rescore == 1 || o.regulation == "compact" || o.regulation == "auto", "--rescore ", o.rescore,
               " needs --regulation compact or auto: nothing else has a scoring pass");
  if (o.cache_teacher == "on") {
    RETORT_CHECK(o.augment == "none" || (o.augment == "recipe" && !recipe.augments),
                 "--cache-teacher on needs --augment none: the teacher has to see what the student sees");
  }
  if (o.command == "distill") RETORT_CHECK(!o.teacher.empty(), "distill needs --teacher RUN_OR_FILE");
}

std::string to_toml(const RunOptions& options) {
  Writer writer;
  writer("command", options.command, "");
  visit_options(options, writer);
  return writer.out.str();
}

namespace {

/// Sets what the text sets, and nothing else.
void read_into(RunOptions& options, const std::string& content, const std::string& name) {
  toml::table table;
  try {
    table = toml::parse(content, name);
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::input, text(name, ":", error.source().begin.line, ": ", printable(std::string(error.description()))));
  } catch (const BrokenPromise&) {
    fail(ErrorKind::input, text(name, ": this is not TOML"));
  }
  Reader reader{table, name};
  reader("command", options.command, "");
  visit_options(options, reader);
  for (const auto& [key, node] : table) {
    RETORT_CHECK_AS(ErrorKind::input, reader.known.count(std::string(key.str())) != 0, name, ":",
                    node.source().begin.line, ": unknown option '", printable(std::string(key.str())), "'");
  }
}

}  // namespace

RunOptions from_toml(const std::string& content, const std::string& name) {
  RunOptions options;
  read_into(options, content, name);
  return options;
}

void set_options(RunOptions& options, const OptionValues& values, const std::string& where) {
  for (const auto& [name, value] : values) read_into(options, text(name, " = ", value, "\n"), where);
}

bool may_change_at_resume(const std::string& option) {
  return option == "max-steps" || option == "save-every-steps" || option == "threads" || option == "graph";
}

bool same_run(const RunOptions& a, const RunOptions& b) { return to_toml(a) == to_toml(b); }

std::string first_difference(const RunOptions& before, const RunOptions& now) {
  std::istringstream old_lines(to_toml(before)), new_lines(to_toml(now));
  for (std::string old_line, new_line; std::getline(old_lines, old_line) && std::getline(new_lines, new_line);) {
    if (old_line != new_line) return text(old_line, ", now ", new_line.substr(new_line.find('=') + 2));
  }
  return {};
}

}  // namespace retort
