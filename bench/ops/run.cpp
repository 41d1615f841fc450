#include "bench/ops/run.h"

#include <algorithm>
#include <cstring>

#include "kernels/philox.h"

namespace retort::bench {
namespace {

/// Elements of size bytes each, made one by one by element(i, to). There are `count` of them, or fewer that then repeat
/// themselves: no kernel here is faster for that, and drawing every number would take longer than measuring.
template <typename Element>
std::vector<std::uint8_t> distinct(std::int64_t count, std::size_t size, const Element& element) {
  const std::int64_t made = std::min<std::int64_t>(count, 65521);  // a prime: no two rows are alike
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(made) * size);
  for (std::int64_t i = 0; i < made; ++i) element(i, bytes.data() + static_cast<std::size_t>(i) * size);
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
  return distinct(count, size_of(dtype), [&](std::int64_t i, std::uint8_t* to) {
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

Pointer Run::upload(const std::vector<std::uint8_t>& bytes, std::size_t wanted) {
  const Pointer pointer = allocate(wanted);
  auto* const to = static_cast<std::uint8_t*>(pointer.address);
  kernels.copy_bytes({}, to, bytes.data(), bytes.size());
  for (std::size_t done = bytes.size(); done < wanted;) {
    const std::size_t piece = std::min(done, wanted - done);
    kernels.copy_bytes({}, to + done, to, piece);
    done += piece;
  }
  kernels.synchronize({});
  return pointer;
}

Pointer Run::holds(DType dtype, std::int64_t count, float low, float high) {
  return upload(numbers(dtype, count, low, high), static_cast<std::size_t>(bytes_of(dtype, count)));
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
  const auto draw = [&](std::int64_t i, std::uint8_t* to) {
    put(to, static_cast<std::int32_t>(to_below(random_bits(i), static_cast<std::uint32_t>(below))));
  };
  return upload(distinct(count, sizeof(std::int32_t), draw), static_cast<std::size_t>(bytes_of(DType::i32, count)));
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
  return upload(bytes, bytes.size());
}

Launch Run::launch(std::size_t workspace_bytes) {
  Launch launch;
  launch.workspace = allocate(workspace_bytes);
  launch.workspace_bytes = workspace_bytes;
  const std::size_t ticket_bytes = Launch::kTickets * sizeof(std::uint32_t);
  launch.tickets = allocate(ticket_bytes);
  kernels.fill_zero({}, launch.tickets, ticket_bytes);
  return launch;
}

void Run::report(double seconds, double cold) {
  using benchmark::Counter;
  const double floor = floors_.seconds(bytes_, flops_, flops_dtype_);
  const auto count = [&](const char* name, double value) { state_.counters[name] = Counter(value); };
  count("bytes_per_second", bytes_ / seconds);
  if (flops_ > 0) count("flops_per_second", flops_ / seconds);
  count("floor_us", floor * 1e6);
  count("share", floor / seconds);
  if (cold > 0) count("cold_us", cold * 1e6);
  if (cold > 0) count("share_cold", floor / cold);
  if (!again_) return;
  const double moved = bytes_ + *again_;
  count("passes", moved / bytes_);
  count("share_moved", moved / floors_.copied_bytes / (cold > 0 ? cold : seconds));
}

}  // namespace retort::bench
