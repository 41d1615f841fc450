#include "distill/run_folder.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "distill/version.h"
#include "engine/atomic_file.h"
#include "kernels/error.h"

namespace retort {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::optional<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

ordered_json to_object(const Ledger& l) {
  return {{"student_forward", l.student_forward},   {"student_backward", l.student_backward},
          {"teacher_forward", l.teacher_forward},   {"teacher_backward", l.teacher_backward},
          {"distinct_samples", l.distinct_samples}, {"flops", l.flops}};
}

ordered_json to_object(const Timing& t) {
  return {{"data", t.data}, {"compute", t.compute}, {"evaluation", t.evaluation}, {"total", t.total()}};
}

Ledger ledger_of(const ordered_json& o) {
  Ledger l;
  o.at("student_forward").get_to(l.student_forward);
  o.at("student_backward").get_to(l.student_backward);
  o.at("teacher_forward").get_to(l.teacher_forward);
  o.at("teacher_backward").get_to(l.teacher_backward);
  o.at("distinct_samples").get_to(l.distinct_samples);
  o.at("flops").get_to(l.flops);
  return l;
}

Timing timing_of(const ordered_json& o) { return {o.at("data"), o.at("compute"), o.at("evaluation")}; }

ordered_json to_object(const RunResult& r) {
  return {{"finished", r.finished},
          {"metric", r.metric},
          {"last", r.last},
          {"best", r.best},
          {"best_epoch", r.best_epoch},
          {"train_samples", r.train_samples},
          {"samples_in_use", r.samples_in_use},
          {"epochs", r.epochs},
          {"participation", r.participation},
          {"teacher_metric", r.teacher_metric},
          {"skipped", r.skipped},
          {"ledger", to_object(r.ledger)},
          {"timing", to_object(r.timing)}};
}

}  // namespace

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {
  RETORT_CHECK(!path_.empty(), "--out FOLDER is missing");
  std::error_code error;
  fs::create_directories(path_, error);
  RETORT_CHECK_AS(ErrorKind::output, fs::is_directory(path_), "cannot make run folder ", path_, ": ", error.message());
  metrics_ = read_text(file("metrics.jsonl")).value_or("");
}

std::optional<RunOptions> RunFolder::read_config() const {
  const auto content = read_text(file("config.toml"));
  if (!content) return std::nullopt;
  return from_toml(*content, file("config.toml"));
}

void RunFolder::write_config(const RunOptions& options) const {
  write_file_atomically(file("config.toml"), to_toml(options));
}

std::optional<RunResult> RunFolder::read_result() const {
  const auto content = read_text(file("result.json"));
  if (!content) return std::nullopt;
  try {
    const ordered_json o = ordered_json::parse(*content);
    RunResult r;
    o.at("finished").get_to(r.finished);
    o.at("metric").get_to(r.metric);
    o.at("last").get_to(r.last);
    o.at("best").get_to(r.best);
    o.at("best_epoch").get_to(r.best_epoch);
    o.at("train_samples").get_to(r.train_samples);
    o.at("samples_in_use").get_to(r.samples_in_use);
    o.at("epochs").get_to(r.epochs);
    o.at("participation").get_to(r.participation);
    o.at("teacher_metric").get_to(r.teacher_metric);
    o.at("skipped").get_to(r.skipped);
    r.ledger = ledger_of(o.at("ledger"));
    r.timing = timing_of(o.at("timing"));
    return r;
  } catch (const ordered_json::exception&) {
    return std::nullopt;  // a damaged result means that the run counts as unfinished
  }
}

std::string to_json(const RunResult& result) { return to_object(result).dump(2); }

void RunFolder::write_result(const RunResult& result) const {
  write_file_atomically(file("result.json"), to_json(result) + "\n");
}

void RunFolder::write_environment(const std::string& device, int threads, const std::string& data_checksum) const {
  const Versions v = versions();
  const ordered_json object = {{"retort", v.retort},     {"revision", v.revision}, {"compiler", v.compiler},
                               {"onednn", v.onednn},     {"isa", v.isa},           {"device", device},
                               {"threads", threads},     {"data", data_checksum}};
  write_file_atomically(file("environment.json"), object.dump(2) + "\n");
}

Timing RunFolder::keep_metrics(int epoch) {
  Timing timing;
  std::istringstream in(metrics_);
  std::string kept, line;
  while (std::getline(in, line)) {
    const ordered_json object = ordered_json::parse(line, nullptr, false);
    if (object.is_discarded() || !object.contains("epoch") || object["epoch"] > epoch) break;
    if (object.contains("timing")) timing = timing_of(object["timing"]);
    kept += line + "\n";
  }
  metrics_ = kept;
  write_file_atomically(file("metrics.jsonl"), metrics_);
  return timing;
}

void RunFolder::append_metrics(const EpochRecord& r) {
  const ordered_json object = {
      {"epoch", r.epoch},
      {"regulation", r.regulation},
      {"learning_rate", r.learning_rate},
      {"threshold", r.threshold},
      {"train_loss", r.train_loss},
      {"train_metric", r.train_metric},
      {"test_loss", r.test_loss},
      {"test_metric", r.test_metric},
      {"rows", r.rows},
      {"participants", r.participants},
      {"steps", r.steps},
      {"steps_without_participants", r.steps_without_participants},
      {"skipped", r.skipped},
      {"ledger", to_object(r.ledger)},
      {"timing", to_object(r.timing)},
  };
  metrics_ += object.dump() + "\n";
  write_file_atomically(file("metrics.jsonl"), metrics_);
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
