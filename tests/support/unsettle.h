// Parameters as training leaves them, for tests of what a network computes: batch norm that does something in each
// channel.
#pragma once

#include "engine/parameters.h"
#include "tests/support/random.h"

namespace retort::test {

/// Of a materialised store.
inline void unsettle(ParameterStore& store) {
  std::uint32_t stream = 300;
  const auto random = [&stream](const Shape& shape, double low, double high) {
    const Values values = random_values(static_cast<std::size_t>(shape.count()), stream++, DType::f32, low, high);
    return std::vector<float>(values.begin(), values.end());
  };
  for (std::size_t i = 0; i < store.parameter_count(); ++i) {
    const ParameterSpec& spec = store.specs()[i];
    if (spec.logical.rank() != 1) continue;  // also a convolution's bias
    store.write(i, spec.name.ends_with(".weight") ? random(spec.logical, 0.5, 1.5) : random(spec.logical, -0.5, 0.5));
  }
  for (std::size_t i = 0; i < store.buffer_specs().size(); ++i) {
    const BufferSpec& spec = store.buffer_specs()[i];
    if (spec.name.ends_with(".running_mean")) store.write_buffer(i, random(spec.shape, -0.5, 0.5));
    if (spec.name.ends_with(".running_var")) store.write_buffer(i, random(spec.shape, 0.5, 2));
    if (spec.integer) store.write_buffer(i, {static_cast<float>(stream)});
  }
}

}  // namespace retort::test
