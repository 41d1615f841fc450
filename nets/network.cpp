#include "nets/network.h"

#include "nets/names.h"

namespace retort {

void Network::begin_forward(const ForwardInput& input, Taps* taps) const {
  const Shape& images = input.images->shape();
  RETORT_CHECK(
      images.rank() == 4 && images[1] == input_.height && images[2] == input_.width && images[3] == input_.channels,
      name_, ": images of shape ", images, ", expected [N, ", input_.height, ", ", input_.width, ", ", input_.channels,
      "]");
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
