#include "nets/network.h"

#include "nets/names.h"

namespace retort {

ForwardInput blank_input(Tape& tape, const ImageFormat& format, int batch, const StepState* state) {
  const auto floats = [&](const Shape& shape, const char* name) {
    return tape.variable(tape.context().make(shape, DType::f32, name), false, name);
  };
  ForwardInput input{floats({batch, format.height, format.width, format.channels}, "images"),
                     tape.context().make({batch}, DType::i32, "samples"), state};
  if (format.auxiliary > 0) input.auxiliary = floats({batch, format.auxiliary}, "auxiliary");
  return input;
}

void Network::begin_forward(const ForwardInput& input, Taps* taps) const {
  const Shape& images = input.images->shape();
  RETORT_CHECK(
      images.rank() == 4 && images[1] == input_.height && images[2] == input_.width && images[3] == input_.channels,
      name_, ": images of shape ", images, ", expected [N, ", input_.height, ", ", input_.width, ", ", input_.channels,
      "]");
  const bool joined_by = input_.auxiliary > 0;
  RETORT_CHECK(!joined_by || (input.auxiliary && input.auxiliary->shape() == Shape({images[0], input_.auxiliary})), name_,
               ": needs ", input_.auxiliary, " numbers beside each image");
  if (taps == nullptr) return;
  const std::vector<std::string> names = tap_names();
  for (auto& [name, value] : *taps) {
    RETORT_CHECK(std::find(names.begin(), names.end(), name) != names.end(), "network '", name_, "' has no tap '", name,
                 "' (known: ", joined(names), ")");
    value.reset();
  }
}

void Network::tap(Taps* taps, const std::string& name, const Var& value) {
  if (taps == nullptr) return;
  const auto found = taps->find(name);
  if (found != taps->end()) found->second = value;
}

}  // namespace retort
