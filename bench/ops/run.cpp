#include "bench/ops/run.h"

#include <algorithm>
#include <cstring>

#include "kernels/philox.h"

namespace retort::bench {
namespace {

/// `count` elements of size bytes each, made one by one by element(i, to). Large operands repeat themselves: no kernel
/// here is faster for that, and drawing every number would take longer than measuring.
template <typename Element>
std::vector<std::uint8_t> repeated(std::int64_t count, std::size_t size, const Element& element) {
  const std::int64_t distinct = std::min<std::int64_t>(count, 65521);  // a prime: no two rows are alike
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count) * size);
  for (std::int64_t i = 0; i < distinct; ++i) element(i, bytes.data() + static_cast<std::size_t>(i) * size);
  for (std::size_t done = static_cast<std::size_t>(distinct) * size; done < bytes.size();) {
    const std::size_t piece = std::min(static_cast<std::size_t>(distinct) * size, bytes.size() - done);
    std::memcpy(bytes.data() + done, bytes.data(), piece);
    done += piece;
  }
  return bytes;
}

std::uint32_t random_bits(std::int64_t i) {
  return philox(1, Purpose::synthetic, static_cast<std::uint64_t>(i), 0, 0).v[0];
}

template <typename T>
void put(std::uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

std::vector<std::uint8_t> numbers(DType dtype, std::int64_t count, float low, float high) {
  return repeated(count, size_of(dtype), [&](std::int64_t i, std::uint8_t* to) {
    const std::uint32_t bits = random_bits(i);
    const float value = low + (high - low) * to_uniform(bits);
    if (dtype == DType::f32) put(to, value);
    if (dtype == DType::bf16) put(to, bfloat16(value));
    if (dtype == DType::i32) put(to, static_cast<std::int32_t>(value));
    if (dtype == DType::u8) put(to, static_cast<std::uint8_t>(bits >> 24));
  });
}

std::int64_t bytes_of(DType dtype, std::int64_t count) {
  return static_cast<std::int64_t>(size_of(dtype)) * count;
}

}  // namespace

Pointer Run::allocate(std::size_t bytes) {
  blocks_.push_back({kernels.allocate(bytes), Deallocate{&kernels}});
  return {blocks_.back().get()};
}

Pointer Run::upload(const std::vector<std::uint8_t>& bytes) {
  const Pointer pointer = allocate(bytes.size());
  kernels.copy_bytes({}, pointer, bytes.data(), bytes.size());
  kernels.synchronize({});
  return pointer;
}

Pointer Run::holds(DType dtype, std::int64_t count, float low, float high) {
  return upload(numbers(dtype, count, low, high));
}

Pointer Run::reads(DType dtype, std::int64_t count, float low, float high) {
  moves(bytes_of(dtype, count));
  return holds(dtype, count, low, high);
}

Pointer Run::writes(DType dtype, std::int64_t count) {
  moves(bytes_of(dtype, count));
  return allocate(static_cast<std::size_t>(bytes_of(dtype, count)));
}

Pointer Run::updates(DType dtype, std::int64_t count, float low, float high) {
  moves(2 * bytes_of(dtype, count));
  return holds(dtype, count, low, high);
}

Pointer Run::integers(std::int64_t count, int below) {
  moves(bytes_of(DType::i32, count));
  return upload(repeated(count, sizeof(std::int32_t), [&](std::int64_t i, std::uint8_t* to) {
    put(to, static_cast<std::int32_t>(to_below(random_bits(i), static_cast<std::uint32_t>(below))));
  }));
}

StepState* Run::step_state() {
  StepState state;
  state.learning_rate = 1e-6F;  // the loop makes many steps with one gradient; the parameters are to stay ordinary
  state.weight_decay = 5e-4F;
  state.confidence_threshold = 0.5F;
  state.random_share = 0.3F;
  state.divisor = 128;
  state.seed = 1;
  moves(sizeof state);
  std::vector<std::uint8_t> bytes(sizeof state);
  std::memcpy(bytes.data(), &state, sizeof state);
  return upload(bytes);
}

Launch Run::launch(std::size_t workspace_bytes) {
  Launch launch;
  launch.workspace = allocate(workspace_bytes);
  launch.workspace_bytes = workspace_bytes;
  return launch;
}

void Run::report(double seconds) {
  using benchmark::Counter;
  const double floor = floors_.seconds(bytes_, flops_, flops_dtype_);
  state_.counters["bytes_per_second"] = Counter(bytes_ / seconds);
  if (flops_ > 0) state_.counters["flops_per_second"] = Counter(flops_ / seconds);
  state_.counters["floor_us"] = Counter(floor * 1e6);
  state_.counters["share"] = Counter(floor / seconds);
}

}  // namespace retort::bench
