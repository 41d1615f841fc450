#include "distill/run_folder.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <type_traits>

#include "data/file.h"
#include "distill/tensorboard.h"
#include "distill/version.h"
#include "engine/atomic_file.h"
#include "kernels/device_info.h"
#include "kernels/error.h"

namespace retort {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::optional<std::string> text_if_any(const std::string& path) {
  if (!fs::exists(path)) return std::nullopt;
  return read_text(path);
}

ordered_json to_object(const Ledger& ledger) {
  ordered_json object;
  visit_fields(ledger, [&](const char* name, const auto& field) { object[name] = field; });
  return object;
}

ordered_json to_object(const Timing& t) {
  return {{"data", t.data}, {"compute", t.compute}, {"evaluation", t.evaluation}, {"total", t.total()}};
}

Timing timing_of(const ordered_json& o) {
  return {o.at("data"), o.at("compute"), o.at("evaluation")};
}

/// visit(name, field) for everything in a result but its ledger and timing.
template <typename AnyResult, typename Visitor>
void visit_result(AnyResult& r, Visitor&& visit) {
  visit("finished", r.finished);
  visit("metric", r.metric);
  visit("last", r.last);
  visit("best", r.best);
  visit("best_epoch", r.best_epoch);
  visit("train_samples", r.train_samples);
  visit("samples_in_use", r.samples_in_use);
  visit("epochs", r.epochs);
  visit("participation", r.participation);
  visit("teacher_metric", r.teacher_metric);
  visit("skipped", r.skipped);
}

/// An epoch's line of metrics.jsonl for TensorBoard. `begun`: when the run would have begun that had never been
/// stopped.
std::string event_of(const ordered_json& line, double begun) {
  // JSON has no word for what is not finite; events leave it out.
  const auto number = [&](const char* key) {
    const auto value = line.find(key);
    return value != line.end() && value->is_number() ? value->get<double>() : std::numeric_limits<double>::quiet_NaN();
  };
  const double rows = number("rows");
  const std::string metric = line.value("metric", "metric");
  const Scalars scalars = {{"loss/train", number("train_loss")},
                           {"loss/test", number("test_loss")},
                           {metric + "/train", number("train_metric")},
                           {metric + "/test", number("test_metric")},
                           {"participation", rows > 0 ? number("participants") / rows : 0},
                           {"learning rate", number("learning_rate")},
                           {"threshold", number("threshold")}};
  const double elapsed = line.contains("timing") ? timing_of(line["timing"]).total() : 0;
  return tensorboard_scalars(begun + elapsed, line.value("epoch", std::int64_t{0}), scalars);
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// visit(name, field) for everything in an epoch's record but its classes, ledger and timing.
template <typename AnyRecord, typename Visitor>
void visit_epoch(AnyRecord& r, Visitor&& visit) {
  visit("epoch", r.epoch);
  visit("metric", r.metric);
  visit("regulation", r.regulation);
  visit("learning_rate", r.learning_rate);
  visit("threshold", r.threshold);
  visit("train_loss", r.train_loss);
  visit("train_metric", r.train_metric);
  visit("test_loss", r.test_loss);
  visit("test_metric", r.test_metric);
  visit("mask_age", r.mask_age);
  visit("rows", r.rows);
  visit("participants", r.participants);
  visit("steps", r.steps);
  visit("steps_without_participants", r.steps_without_participants);
  visit("skipped", r.skipped);
}

/// Throws ordered_json::exception where something is missing.
EpochRecord epoch_of(const ordered_json& object) {
  EpochRecord r;
  visit_epoch(r, [&](const char* name, auto& field) {
    const ordered_json& value = object.at(name);
    // JSON has no word for what is not finite.
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, double>) {
      field = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    } else {
      value.get_to(field);
    }
  });
  if (object.contains("participants_by_class")) {
    object.at("rows_by_class").get_to(r.rows_by_class);
    object.at("participants_by_class").get_to(r.participants_by_class);
  }
  visit_fields(r.ledger, [&](const char* name, auto& field) { object.at("ledger").at(name).get_to(field); });
  r.timing = timing_of(object.at("timing"));
  return r;
}

}  // namespace

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {
  RETORT_CHECK(!path_.empty(), "--out FOLDER is missing");
  std::error_code error;
  fs::create_directories(path_, error);
  RETORT_CHECK_AS(ErrorKind::output, fs::is_directory(path_), "cannot make run folder ", path_, ": ", error.message());
  metrics_ = text_if_any(file("metrics.jsonl")).value_or("");
}

std::optional<RunOptions> RunFolder::read_config() const {
  const auto content = text_if_any(file("config.toml"));
  if (!content) return std::nullopt;
  return from_toml(*content, file("config.toml"));
}

void RunFolder::write_config(const RunOptions& options) const {
  write_file_atomically(file("config.toml"), to_toml(options));
}

std::optional<RunResult> RunFolder::read_result() const {
  const auto content = text_if_any(file("result.json"));
  if (!content) return std::nullopt;
  try {
    const ordered_json o = ordered_json::parse(*content);
    RunResult r;
    visit_result(r, [&](const char* name, auto& field) { o.at(name).get_to(field); });
    visit_fields(r.ledger, [&](const char* name, auto& field) { o.at("ledger").at(name).get_to(field); });
    r.timing = timing_of(o.at("timing"));
    return r;
  } catch (const ordered_json::exception&) {
    return std::nullopt;  // a damaged result means that the run counts as unfinished
  }
}

std::string to_json(const RunResult& result) {
  ordered_json object;
  visit_result(result, [&](const char* name, const auto& field) { object[name] = field; });
  object["ledger"] = to_object(result.ledger);
  object["timing"] = to_object(result.timing);
  return object.dump(2);
}

void RunFolder::write_result(const RunResult& result) const {
  write_file_atomically(file("result.json"), to_json(result) + "\n");
}

void RunFolder::write_environment(Device device, int threads, const Dataset& data) const {
  const Versions v = versions();
  ordered_json object = {{"retort", v.retort},     {"revision", v.revision},
                         {"compiler", v.compiler}, {"onednn", v.onednn},
                         {"isa", v.isa}, {"device", device == Device::cuda ? "cuda" : "cpu"},
                         {"threads", threads}, {"data", data.checksum},
                         {"train_samples", data.train.count()}};
  if (!data.class_names.empty()) object["class_names"] = data.class_names;
  if (device == Device::cuda) {
    const DeviceInfo gpu = cuda::device_info();
    object["gpu"] = {{"name", gpu.name},    {"capability", gpu.capability}, {"driver", gpu.driver},
                     {"cuda", gpu.runtime}, {"cudnn", gpu.cudnn},           {"cublaslt", gpu.cublaslt}};
  }
  // A class may be named after a folder, in any encoding.
  write_file_atomically(file("environment.json"), object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

Timing RunFolder::keep_metrics(int epoch) {
  Timing timing;
  std::istringstream in(metrics_);
  std::string kept, line;
  std::vector<ordered_json> objects;
  while (std::getline(in, line)) {
    const ordered_json object = ordered_json::parse(line, nullptr, false);
    if (object.is_discarded() || !object.contains("epoch") || object["epoch"] > epoch) break;
    if (object.contains("timing")) timing = timing_of(object["timing"]);
    kept += line + "\n";
    objects.push_back(object);
  }
  metrics_ = kept;
  write_file_atomically(file("metrics.jsonl"), metrics_);
  begun_ = now() - timing.total();
  std::string events = tensorboard_header(begun_);
  for (const ordered_json& object : objects) events += event_of(object, begun_);
  write_file_atomically(file(tensorboard_file_name), events);
  return timing;
}

void RunFolder::append_metrics(const EpochRecord& r) {
  ordered_json object;
  visit_epoch(r, [&](const char* name, const auto& field) { object[name] = field; });
  if (!r.participants_by_class.empty()) {
    object["rows_by_class"] = r.rows_by_class;
    object["participants_by_class"] = r.participants_by_class;
  }
  object["ledger"] = to_object(r.ledger);
  object["timing"] = to_object(r.timing);
  metrics_ += object.dump() + "\n";
  write_file_atomically(file("metrics.jsonl"), metrics_);
  // TensorBoard follows one file as it grows. Half an event, after a kill, is gone with the next resume.
  append_to_file(file(tensorboard_file_name), event_of(object, begun_));
}

std::vector<EpochRecord> RunFolder::read_metrics(int& damaged_line) const {
  std::vector<EpochRecord> epochs;
  std::istringstream in(metrics_);
  std::string line;
  damaged_line = 0;
  for (int number = 1; std::getline(in, line); ++number) {
    try {
      epochs.push_back(epoch_of(ordered_json::parse(line)));
    } catch (const ordered_json::exception&) {
      damaged_line = number;
      break;
    }
  }
  return epochs;
}

std::optional<TensorFile> RunFolder::read_checkpoint(std::string& path) const {
  std::string first_problem;
  for (const char* name : {"last.safetensors", "previous.safetensors"}) {
    path = file(name);
    if (!fs::exists(path)) continue;
    try {
      auto content = read_safetensors(path);
      // Out of the way, so that write_checkpoint does not keep the damaged one in place of this one.
      if (!first_problem.empty()) fs::rename(file("last.safetensors"), file("damaged.safetensors"));
      return content;
    } catch (const Error& error) {
      if (!first_problem.empty()) throw;
      first_problem = error.what();
      std::fprintf(stderr, "retort: %s; trying the checkpoint before it\n", error.what());
    }
  }
  RETORT_CHECK_AS(ErrorKind::input, first_problem.empty(), first_problem, ", and there is no earlier checkpoint");
  return std::nullopt;
}

bool RunFolder::has_checkpoint() const {
  return fs::exists(file("last.safetensors")) || fs::exists(file("previous.safetensors"));
}

void RunFolder::write_checkpoint(const TensorFile& content) const {
  const std::string last = file("last.safetensors"), previous = file("previous.safetensors");
  std::error_code error;
  if (fs::exists(last)) {
    // A second name for the old file first, so that there is a whole checkpoint at every moment.
    fs::remove(previous, error);
    fs::create_hard_link(last, previous, error);
    if (error) fs::copy_file(last, previous, fs::copy_options::overwrite_existing, error);
  }
  write_safetensors(last, content);
}

void RunFolder::drop_checkpoint() const {
  std::error_code none;
  fs::rename(file("previous.safetensors"), file("last.safetensors"), none);
}

}  // namespace retort
