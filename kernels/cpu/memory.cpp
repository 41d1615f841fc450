#include "kernels/memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "kernels/error.h"

namespace retort::cpu {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kCopyChunk = std::size_t{1} << 20;

/// Calls work(offset, bytes) for pieces of a large range in parallel; one core alone does not fill the memory bus.
template <typename Work>
void in_chunks(std::size_t bytes, const Work& work) {
  if (bytes < 2 * kCopyChunk) {
    if (bytes > 0) work(std::size_t{0}, bytes);
    return;
  }
  const auto chunks = static_cast<std::int64_t>((bytes + kCopyChunk - 1) / kCopyChunk);
#pragma omp parallel for schedule(static)
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const std::size_t begin = static_cast<std::size_t>(chunk) * kCopyChunk;
    work(begin, bytes - begin < kCopyChunk ? bytes - begin : kCopyChunk);
  }
}

}  // namespace

void* allocate(std::size_t bytes) {
  // Large blocks lie on huge pages: strided convolution reads otherwise miss the TLB.
  const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kAlignment;
  void* block = nullptr;
  if (bytes <= SIZE_MAX - alignment) {
    const std::size_t whole = bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
    block = std::aligned_alloc(alignment, whole);
#ifdef __linux__
    if (block != nullptr && alignment == kHugePage) madvise(block, whole, MADV_HUGEPAGE);
#endif
  }
  RETORT_CHECK_AS(ErrorKind::memory, block != nullptr, "cannot allocate ", bytes, " bytes of host memory");
  return block;
}

void deallocate(void* pointer) noexcept {
  std::free(pointer);
}

void copy_bytes(const Launch&, void* to, const void* from, std::size_t bytes) {
  in_chunks(bytes, [=](std::size_t begin, std::size_t count) {
    std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin, count);
  });
}

void fill_zero(const Launch&, void* to, std::size_t bytes) {
  in_chunks(bytes,
            [=](std::size_t begin, std::size_t count) { std::memset(static_cast<char*>(to) + begin, 0, count); });
}

void synchronize(const Launch&) {}

}  // namespace retort::cpu
