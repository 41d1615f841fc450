// The golden files: ten training steps in float64 by PyTorch (tests/golden).
#pragma once

#include <string>

#include "engine/safetensors.h"
#include "tests/nets/support.h"

namespace retort::test {

class Golden {
 public:
  explicit Golden(const std::string& net)
      : file_(read_safetensors(std::string(RETORT_TEST_DIR) + "/golden/" + net + ".safetensors")) {}

  static constexpr int steps = 10, rows = 4, classes = 100;

  const TensorFile& file() const { return file_; }
  Values values(const std::string& name) const { return to_values(file_.at(name).to_floats()); }
  std::vector<std::string> names_behind(const std::string& prefix) const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : file_.tensors) {
      if (name.starts_with(prefix)) names.push_back(name.substr(prefix.size()));
    }
    return names;
  }

  /// The batch of a step, images normalised and in NHWC order.
  HostBatch batch(int step) const {
    constexpr std::size_t side = 32, channels = 3, plane = side * side;
    constexpr double mean[] = {.5071, .4867, .4408};
    constexpr double deviation[] = {.2675, .2565, .2761};
    const Values pixels = slice("images", step, rows * channels * plane);
    HostBatch batch;
    batch.rows = rows;
    batch.images.resize(pixels.size());
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      const std::size_t n = i / (channels * plane), c = i / plane % channels;
      batch.images[(n * plane + i % plane) * channels + c] = (pixels[i] / 255 - mean[c]) / deviation[c];
    }
    batch.labels = slice("labels", step, rows);
    batch.teacher_logits = slice("teacher_logits", step, std::size_t{rows} * classes);
    return batch;
  }

  /// Writes `init.*` into the network's parameters and buffers.
  void load(ParameterStore& store) const {
    for (std::size_t i = 0; i < store.parameter_count(); ++i) {
      store.write(i, file_.at("init." + store.specs()[i].name).to_floats());
    }
    for (std::size_t i = 0; i < store.buffer_specs().size(); ++i) {
      const BufferSpec& spec = store.buffer_specs()[i];
      if (!spec.integer) store.write_buffer(i, file_.at("init." + spec.name).to_floats());
    }
  }

 private:
  Values slice(const std::string& name, int step, std::size_t size) const {
    const Values all = values(name);
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(step) * size);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
  }

  TensorFile file_;
};

}  // namespace retort::test
