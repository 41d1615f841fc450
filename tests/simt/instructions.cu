#include "bench/lab/convolution/async_copy.h"
#include "bench/lab/convolution/tensor_core.h"
#include "tests/simt/instructions.h"

namespace simt::instructions {
namespace {

namespace lab = retort::lab;

__global__ void multiply_kernel(const std::uint32_t* left, const std::uint32_t* right, float* sums, bool alone) {
  const unsigned lane = threadIdx.x;
  if (alone && lane >= 16) return;
  std::uint32_t own[4];
  float total[4];
  for (unsigned i = 0; i < 4; ++i) own[i] = left[4 * lane + i];
  for (unsigned i = 0; i < 4; ++i) total[i] = sums[4 * lane + i];
  lab::multiply_matrices(total, own, right[2 * lane], right[2 * lane + 1]);
  for (unsigned i = 0; i < 4; ++i) sums[4 * lane + i] = total[i];
}

__global__ void load_kernel(const std::uint16_t* rows, int shift, std::uint32_t* out) {
  alignas(16) __shared__ std::uint16_t shared[32 * 8 + 8];
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 32 * 8 + 8; i += 32) shared[i] = i < 32 * 8 ? rows[i] : std::uint16_t{0};
  __syncthreads();
  std::uint32_t registers[4];
  lab::load_matrices(registers, shared + 8 * lane + shift);
  for (int i = 0; i < 4; ++i) out[4 * lane + i] = registers[i];
}

__global__ void copy_kernel(Mistake mistake, const float* in, int limit, float* out) {
  alignas(16) __shared__ float shared[2][256];
  const int i = static_cast<int>(threadIdx.x);
  if (mistake == Mistake::misaligned) lab::begin_copy(shared[0] + 4 * i, in + 1, true);
  if (mistake == Mistake::to_device_memory) lab::begin_copy(out + 4 * i, in, true);
  lab::begin_copy(shared[0] + 4 * i, in + 4 * i, true);
  lab::commit_copies();
  lab::begin_copy(shared[1] + 4 * i, in + 256 + 4 * i, 64 + i < limit);
  if (mistake != Mistake::no_commit) lab::commit_copies();
  lab::wait_for_copies<1>();
  if (mistake != Mistake::no_barrier) __syncthreads();
  for (int k = 0; k < 4; ++k) out[4 * i + k] = shared[0][4 * (i ^ 63) + k];  // the first group
  if (mistake == Mistake::next_too_early) lab::begin_copy(shared[0] + 4 * i, in, true);
  if (mistake == Mistake::waits_for_one_group) lab::wait_for_copies<1>();
  if (mistake != Mistake::no_wait && mistake != Mistake::waits_for_one_group) lab::wait_for_copies<0>();
  __syncthreads();
  for (int k = 0; k < 4; ++k) out[256 + 4 * i + k] = shared[1][4 * (i ^ 63) + k];  // the second group
}

}  // namespace

void multiply(const std::uint32_t* left, const std::uint32_t* right, float* sums, bool alone) {
  launch("multiply", multiply_kernel, {1}, {32}, 0, left, right, sums, alone);
}
void load_matrices(const std::uint16_t* rows, int shift, std::uint32_t* out) {
  launch("load_matrices", load_kernel, {1}, {32}, 0, rows, shift, out);
}
void copy(Mistake mistake, const float* in, int limit, float* out) {
  launch("copy", copy_kernel, {1}, {64}, 0, mistake, in, limit, out);
}

}  // namespace simt::instructions
