// What the tests of bank conflicts launch.
#pragma once

namespace simt::banks {

constexpr int kWords = 33 * 32;

/// One warp writes kWords floats of shared memory, 32 neighbours with each request, and lane l then reads those from
/// l * stride on: one, or four with one load.
void read_with_stride(int stride, bool four, float* out);

}  // namespace simt::banks
