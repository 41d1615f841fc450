// The frozen teacher of a distillation: a network from a checkpoint, in evaluation mode, and its logits.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "distill/evaluation.h"
#include "engine/safetensors.h"

namespace retort {

class Teacher {
 public:
  /// Reads RUN_OR_FILE; with `fold`, its batch norm goes into its convolutions. Throws Error(input) for a checkpoint
  /// that does not fit the data set.
  Teacher(Context& context, const std::string& run_or_file, const std::string& net, const Dataset& dataset,
          const Task& task, bool fold);

  /// One with initial parameters: its logits mean nothing, but cost what a trained one's do.
  Teacher(Context& context, std::unique_ptr<Network> network, bool fold = true);

  Network& network() { return *network_; }
  const TensorFile& file() const { return file_; }
  const std::string& path() const { return path_; }
  /// crc32 of the checkpoint's tensors.
  std::uint32_t checksum() const;
  /// The accuracy the checkpoint itself claims, or a negative number: metadata `last_metric` for a matching test split.
  double claimed(const std::string& checksum) const;

  /// The logits of every training sample (samples, outputs). Empty while the context only measures.
  std::vector<float> all_logits(DeviceDataset& train, const Task& task, int batch);
  /// From now on logits() takes them from these. Right only when the student sees the same, unaugmented images.
  void cache(const std::vector<float>& all_logits);
  bool cached() const { return cache_.data() != nullptr; }
  /// Logits (N, outputs) f32 for a batch: from the cache, or by a forward pass.
  Tensor logits(const Batch& batch, const StepState* state);

 private:
  Context& context_;
  std::string path_;
  TensorFile file_;
  std::unique_ptr<Network> network_;
  int outputs_;
  DeviceBlock cache_;
};

}  // namespace retort
