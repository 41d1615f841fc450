// The plans for convolutions that the emulated device offers. All compute the same; they differ in what they take.
#pragma once

namespace simt {

/// Seconds that convolutions have taken by the emulated device's clock, beyond what the host took for them. Marks
/// (kernels/timing.h) are by that clock.
double seconds_of_convolutions();

}  // namespace simt
