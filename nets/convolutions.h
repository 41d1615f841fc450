// The convolutions that a network consists of, for planning and benchmarks.
#pragma once

#include "kernels/convolution.h"
#include "nets/network.h"

namespace retort {

/// In the order of the forward pass, f32, each shape once. Nothing is allocated or computed.
std::vector<Conv2dShape> convolutions_of(Network& network, int batch);

}  // namespace retort
