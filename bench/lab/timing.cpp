#include "bench/lab/timing.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "kernels/memory.h"
#include "kernels/philox.h"
#include "kernels/timing.h"

namespace retort::lab {

Block::Block(std::size_t bytes) : data_(cuda::allocate(bytes)) {
  cuda::fill_zero({}, data_, bytes);
}
Block::~Block() {
  cuda::deallocate(data_);
}
void Block::upload(const void* from, std::size_t bytes) const {
  cuda::copy_bytes({}, data_, from, bytes);
}
void Block::upload_uniform(DType dtype, std::size_t n, std::uint32_t seed, float low, float high) const {
  std::vector<std::uint8_t> host(n * size_of(dtype));
  for (std::size_t i = 0; i < n; ++i) {
    const float value = low + (high - low) * to_uniform(philox(seed, Purpose::synthetic, i, 0, 0).v[0]);
    const auto put = [&](auto typed) { std::memcpy(host.data() + i * sizeof typed, &typed, sizeof typed); };
    if (dtype == DType::f32) put(value);
    if (dtype == DType::bf16) put(bfloat16(value));
    if (dtype == DType::i32) put(static_cast<std::int32_t>(value));
    if (dtype == DType::u8) put(static_cast<std::uint8_t>(value));
  }
  upload(host.data(), host.size());
}

double Timer::seconds_of(const std::function<void()>& work) const {
  work();
  std::vector<double> seconds;
  for (int i = 0; i < 21; ++i) {
    void* begin = cuda::make_mark({});
    work();
    void* end = cuda::make_mark({});
    seconds.push_back(cuda::seconds_between(begin, end));
    cuda::release_mark(begin);
    cuda::release_mark(end);
  }
  std::nth_element(seconds.begin(), seconds.begin() + 10, seconds.end());
  return seconds[10];
}

void Timer::heading(const char* family) const {
  std::printf("\n%-12s %-40s %24s %10s %8s\n", family, "", "shape", "us", "of copy");
}

void Timer::line(const char* version, const char* idea, const std::string& shape, double least_bytes,
                 const std::function<void()>& work) const {
  const double seconds = seconds_of(work);
  std::printf("%-12s %-40s %24s %10.1f %7.1f%%\n", version, idea, shape.c_str(), 1e6 * seconds,
              100 * least_bytes / seconds / bandwidth);
}

}  // namespace retort::lab
