#include "distill/report/run_data.h"

#include <cstdio>
#include <filesystem>

#include "data/file.h"
#include "distill/checkpoint.h"
#include "distill/tst/phase_log.h"
#include "kernels/error.h"

namespace retort {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

void read_epochs(const RunFolder& folder, ReportedRun& run) {
  int damaged = 0;
  run.epochs = folder.read_metrics(damaged);
  if (damaged > 0) {
    run.missing.push_back(text("metrics.jsonl: line ", damaged, " is damaged; the epochs from there on are left out."));
  }
  if (run.epochs.empty()) run.missing.emplace_back("metrics.jsonl has no epochs, so there are no curves and no costs.");
}

/// What the environment says of the data, as far as it is what the trainer writes.
void take_data(ReportedRun& run) {
  try {
    const ordered_json& e = run.environment;
    if (e.contains("data")) e["data"].get_to(run.data_checksum);
    if (e.contains("train_samples")) e["train_samples"].get_to(run.train_samples);
    if (e.contains("class_names")) e["class_names"].get_to(run.class_names);
    run.environment.erase("class_names");  // a hundred words that are no environment
  } catch (const ordered_json::exception&) {
    run.missing.emplace_back("environment.json is damaged.");
  }
}

void read_environment(ReportedRun& run) {
  run.environment = ordered_json::object();
  const std::string path = run.where.folder + "/environment.json";
  ordered_json object = fs::exists(path) ? ordered_json::parse(read_text(path), nullptr, false) : ordered_json();
  if (object.is_object()) {
    run.environment = std::move(object);
    take_data(run);
  } else {
    run.missing.emplace_back("environment.json is not there or damaged.");
  }
}

/// The counts of a finished run, or those in the last checkpoint of one that has not finished.
void read_significance(ReportedRun& run) {
  if (run.options.regulation == "off") return;
  try {
    const std::string csv = run.where.folder + "/significance.csv", checkpoint = checkpoint_path(run.where.folder);
    run.significance =
        fs::exists(csv) ? read_significance_csv(csv) : significance_of(read_safetensors(checkpoint), checkpoint);
  } catch (const Error& error) {
    run.missing.push_back(text("There is no significance to show: ", error.what(), "."));
  }
}

void read_calibration(ReportedRun& run) {
  const std::string path = run.where.folder + "/calibration.json";
  if (!run.result && !fs::exists(path)) return;  // it is written at the end
  try {
    run.calibration = calibration_from_json(read_text(path), path);
  } catch (const Error& error) {
    run.missing.push_back(text("There is no calibration: ", error.what(), "."));
  }
}

void read_predictions(ReportedRun& run) {
  const std::string path = run.where.folder + "/predictions.csv";
  if (!fs::exists(path)) {
    if (run.result) run.missing.emplace_back("predictions.csv is not there, so there is no confusion matrix.");
    return;
  }
  try {
    run.predictions = read_predictions_csv(path);
  } catch (const Error& error) {
    run.missing.push_back(text("There is no confusion matrix: ", error.what(), "."));
  }
}

void sum_files(ReportedRun& run) {
  for (const char* name : {"config.toml", "environment.json", "plans.json", "metrics.jsonl", "last.safetensors",
                           "best.safetensors", "significance.csv", "predictions.csv", "calibration.json",
                           "phases.jsonl", "result.json"}) {
    const std::string path = run.where.folder + "/" + name;
    if (!fs::is_regular_file(path)) continue;
    try {
      const Bytes bytes = read_bytes(path, std::size_t{4} << 30U);
      char digits[16];
      std::snprintf(digits, sizeof digits, "%08x", crc32_of(bytes.data(), bytes.size()));
      run.files.push_back({name, bytes.size(), digits});
    } catch (const Error& error) {
      run.missing.push_back(text(error.what(), "."));
    }
  }
}

}  // namespace

std::string metric_of(const ReportedRun& run) {
  if (run.result) return run.result->metric;
  return run.epochs.empty() || run.epochs.back().metric.empty() ? "accuracy" : run.epochs.back().metric;
}

double epochs_done(const ReportedRun& run) {
  if (run.result) return run.result->epochs;
  return run.epochs.empty() ? 0 : run.epochs.back().epoch;
}

ReportedRun read_run(const FoundRun& found) {
  ReportedRun run;
  run.where = found;
  const RunFolder folder(found.folder);
  run.options = *folder.read_config();
  run.result = folder.read_result();
  if (run.result && !run.result->finished) run.result.reset();
  read_epochs(folder, run);
  if (!run.result) {
    run.missing.push_back(text("The run has not finished (", epochs_done(run), " of ", run.options.epochs,
                               " epochs): what is shown is how far it came."));
  }
  read_environment(run);
  if (run.result) run.train_samples = run.result->train_samples;
  read_significance(run);
  metric_of(run) == "accuracy" ? read_predictions(run) : read_calibration(run);
  run.phases = read_phases(folder.file("phases.jsonl"));
  sum_files(run);
  return run;
}

}  // namespace retort
