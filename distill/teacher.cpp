#include "distill/teacher.h"

#include <cstdlib>

#include "data/file.h"
#include "distill/checkpoint.h"
#include "distill/forward_input.h"
#include "distill/run_setup.h"
#include "kernels/augmentation.h"

namespace retort {

Teacher::Teacher(Context& context, const std::string& run_or_file, const std::string& net, const Dataset& dataset,
                 const Task& task, bool fold)
    : context_(context),
      path_(checkpoint_path(run_or_file)),
      file_(read_safetensors(path_)),
      network_(network_of(file_, path_, net, input_of(dataset), task.outputs())),
      outputs_(task.outputs()) {
  network_->parameters().materialise(context, 0, Trainable::no);
  load_network(file_, path_, *network_, false);
  if (fold) network_->fold(context);
}

Teacher::Teacher(Context& context, std::unique_ptr<Network> network, bool fold)
    : context_(context), network_(std::move(network)), outputs_(network_->classes()) {
  network_->parameters().materialise(context, 0, Trainable::no);
  if (fold) network_->fold(context);
}

std::uint32_t Teacher::checksum() const {
  std::uint32_t crc = 0;
  for (const auto& [name, tensor] : file_.tensors) {
    crc = crc32_of(name.data(), name.size(), crc);
    crc = crc32_of(tensor.bytes.data(), tensor.bytes.size(), crc);
  }
  return crc;
}

double Teacher::claimed(const std::string& checksum) const {
  const auto data = file_.metadata.find("data_checksum");
  const auto metric = file_.metadata.find("last_metric");
  if (data == file_.metadata.end() || metric == file_.metadata.end()) return -1;
  const auto test_part = [](const std::string& text) { return text.substr(std::min(text.find("test:"), text.size())); };
  if (test_part(data->second) != test_part(checksum)) return -1;
  return std::strtod(metric->second.c_str(), nullptr);
}

std::vector<float> Teacher::all_logits(DeviceDataset& train, const Task& task, int batch) {
  std::vector<float> logits;
  evaluate(context_, *network_, train, task, batch, &logits);
  if (context_.measuring()) logits.clear();
  return logits;
}

void Teacher::cache(const std::vector<float>& all_logits) {
  cache_ = DeviceBlock(context_.device(), all_logits.size() * sizeof(float));
  RETORT_LAUNCH(context_, 0, copy_bytes, cache_.data(), all_logits.data(), cache_.bytes());
  RETORT_BACKEND(context_.device(), synchronize(context_.launch()));
}

Tensor Teacher::logits(const Batch& batch, const StepState* state) {
  if (cached()) {
    Tensor out = context_.make({batch.rows, outputs_}, DType::f32, "teacher logits");
    RETORT_LAUNCH(context_, 0, gather_floats, batch.rows, outputs_, static_cast<const float*>(cache_.data()),
                  batch.samples.i32(), out.f32());
    return out;
  }
  Tape tape(context_, Tape::Recording::off);
  return network_->forward(tape, forward_input(tape, batch, state), ForwardMode::evaluation())->value;
}

}  // namespace retort
