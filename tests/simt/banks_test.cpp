// Bank conflicts are counted as the CUDA programming guide describes them.
#include "tests/simt/banks.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/simt/bank_conflicts.h"
#include "tests/simt/runner.h"
#include "tests/simt/traffic.h"

namespace {

/// A request in which lane l accesses so many bytes at l * stride.
simt::BankUse use_of(std::size_t stride, std::size_t bytes, int lanes = 32) {
  std::vector<simt::SharedAccess> request;
  for (int lane = 0; lane < lanes; ++lane)
    request.push_back({lane, 4096 + static_cast<std::size_t>(lane) * stride, bytes});
  return simt::bank_use(request);
}

void check_use(const simt::BankUse& use, std::uint64_t passes, std::uint64_t conflicts) {
  CHECK(use.passes == passes);
  CHECK(use.conflicts == conflicts);
}

/// Of the kernel's reads; its 33 writes take a pass each.
void check_kernel(int stride, bool four, std::uint64_t passes, std::uint64_t conflicts) {
  CAPTURE(stride);
  auto* out = static_cast<float*>(simt::allocate(32 * sizeof(float)));
  const simt::Traffic traffic = simt::traffic_of([&] { simt::banks::read_with_stride(stride, four, out); });
  std::vector<float> values(32);
  simt::copy(values.data(), out, values.size() * sizeof(float));
  simt::release(out);
  for (int lane = 0; lane < 32; ++lane)
    CHECK(values[static_cast<std::size_t>(lane)] == static_cast<float>(lane * stride));
  CHECK(traffic.shared_requests == 33 + 1);
  CHECK(traffic.shared_passes == 33 + passes);
  CHECK(traffic.shared_conflicts == conflicts);
  CHECK(traffic.requests == 1);
  CHECK(traffic.sectors == 4);
}

}  // namespace

TEST_CASE("simt banks: a request takes as many passes as one bank has words to give") {
  check_use(use_of(4, 4), 1, 0);       // neighbours
  check_use(use_of(0, 4), 1, 0);       // all the same word
  check_use(use_of(8, 4), 2, 1);       // every other bank
  check_use(use_of(12, 4), 1, 0);      // an odd stride finds all banks
  check_use(use_of(128, 4), 32, 31);   // a column of 32 floats a row
  check_use(use_of(132, 4), 1, 0);     // with a word of padding
  check_use(use_of(128, 4, 5), 5, 4);  // of five lanes
  check_use(use_of(2, 2), 1, 0);       // two lanes share a word
  check_use(use_of(1, 1), 1, 0);
}

TEST_CASE("simt banks: wide requests are served by halves and quarters of the warp") {
  check_use(use_of(8, 8), 2, 0);
  check_use(use_of(16, 16), 4, 0);
  check_use(use_of(16, 16, 8), 1, 0);  // only the first quarter takes part
  check_use(use_of(64, 16), 16, 12);   // rows of 64 bytes: two groups of banks for eight lanes
  check_use(use_of(80, 16), 4, 0);     // padded
  check_use(use_of(128, 16), 32, 28);
  check_use(use_of(0, 16), 4, 0);
}

TEST_CASE("simt banks: a kernel's conflicts are counted, and none with padding") {
  check_kernel(1, false, 1, 0);
  check_kernel(32, false, 32, 31);
  check_kernel(33, false, 1, 0);
  check_kernel(4, true, 4, 0);
  check_kernel(16, true, 16, 12);
  check_kernel(20, true, 4, 0);
}
