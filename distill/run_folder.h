// A run folder: config.toml, metrics.jsonl, last and best checkpoint, significance.csv, predictions.csv,
// environment.json, result.json,
// TensorBoard's events.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "distill/ledger.h"
#include "distill/options.h"
#include "engine/safetensors.h"
#include "kernels/types.h"

namespace retort {

/// One line of metrics.jsonl. Documented in docs/run-folder.md.
struct EpochRecord {
  int epoch = 0;       ///< 1-based
  std::string metric;  ///< "accuracy" or "error"
  std::string regulation;
  double learning_rate = 0, threshold = 0;
  double train_loss = 0, train_metric = 0;
  double test_loss = 0, test_metric = 0;
  int mask_age = 0;  ///< epochs since the participants were scored; the training loss and metric are then theirs alone
  std::int64_t rows = 0, participants = 0;
  std::vector<std::int64_t> rows_by_class, participants_by_class;  ///< (classes); empty without regulation or classes
  std::int64_t steps = 0, steps_without_participants = 0, skipped = 0;
  Ledger ledger;  ///< since the beginning of the run
  Timing timing;  ///< since the beginning of the run
};

/// What a finished run comes to.
struct RunResult {
  bool finished = false;
  std::string metric;  ///< "accuracy" or "error"
  double last = 0, best = 0;
  int best_epoch = 0;
  int train_samples = 0;   ///< of the data set
  int samples_in_use = 0;  ///< of the subset trained on
  double epochs = 0;
  double participation = 0;    ///< share of scored rows that entered the backward pass
  double teacher_metric = -1;  ///< of the teacher on the same test split; -1: no teacher
  std::int64_t skipped = 0;
  Ledger ledger;
  Timing timing;
};

class RunFolder {
 public:
  /// Makes the folder if needed. Throws Error(output).
  explicit RunFolder(std::string path);

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

  std::optional<RunOptions> read_config() const;
  void write_config(const RunOptions& options) const;
  std::optional<RunResult> read_result() const;
  void write_result(const RunResult& result) const;
  void write_environment(Device device, int threads, const Dataset& data) const;

  /// Begins or goes on with the metrics: drops the lines of epochs after `epoch` (they will be trained again) and
  /// returns the timing of the last kept one.
  Timing keep_metrics(int epoch);
  void append_metrics(const EpochRecord& record);
  /// The epochs of metrics.jsonl, up to the first line that is damaged; its number, or 0. What was not finite is NaN.
  std::vector<EpochRecord> read_metrics(int& damaged_line) const;

  /// The last checkpoint or, if it is damaged, the one before. Nothing if there is none.
  std::optional<TensorFile> read_checkpoint(std::string& path) const;
  bool has_checkpoint() const;
  /// Replaces last.safetensors; the one before is kept as previous.safetensors.
  void write_checkpoint(const TensorFile& file) const;
  /// Puts the checkpoint before the last one in its place, if there is one.
  void drop_checkpoint() const;

 private:
  std::string path_;
  std::string metrics_;  // the text of metrics.jsonl
  double begun_ = 0;     // seconds since 1970, for TensorBoard
};

/// The result as one JSON object (result.json, --json).
std::string to_json(const RunResult& result);

}  // namespace retort
