// Each kind of mistake is found, with its line; the kernel without one is not complained about.
#include "tests/simt/planted.h"

#include <doctest/doctest.h>

#include <bit>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "tests/simt/runner.h"

namespace {

using simt::FindingKind;
using simt::planted::Bug;

struct Outcome {
  std::optional<FindingKind> kind;
  std::string message;
  std::vector<float> y;
  int ticket = 0;
};

Outcome outcome_of(Bug bug) {
  constexpr int kCount = 200;
  const std::vector<float> ones(kCount, 1.0F);
  auto* x = static_cast<float*>(simt::allocate(kCount * sizeof(float)));
  auto* y = static_cast<float*>(simt::allocate(kCount * sizeof(float)));
  auto* counter = static_cast<int*>(simt::allocate(9 * sizeof(int)));
  simt::copy(x, ones.data(), kCount * sizeof(float));
  simt::fill_zero(counter, 9 * sizeof(int));
  Outcome outcome;
  try {
    simt::planted::run(bug, x, kCount, y, counter);
  } catch (const simt::Finding& finding) {
    outcome.kind = finding.kind();
    outcome.message = finding.what();
  }
  outcome.y.resize(4);
  simt::copy(outcome.y.data(), y, 4 * sizeof(float));
  simt::copy(&outcome.ticket, counter, sizeof(int));
  simt::release(x);
  simt::release(y);
  simt::release(counter);
  return outcome;
}

/// The line of planted.cu that has this text, as findings write it.
std::string line_of(const std::string& words) {
  std::ifstream file(RETORT_TEST_DIR "/simt/planted.cu");
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.find(words) != std::string::npos) return "planted.cu:" + std::to_string(number);
  }
  FAIL("planted.cu has no line with: " << words);
  return {};
}

void check_found(Bug bug, FindingKind kind, const std::string& words) {
  CAPTURE(words);
  const Outcome outcome = outcome_of(bug);
  CAPTURE(outcome.message);
  REQUIRE(outcome.kind.has_value());
  CHECK(*outcome.kind == kind);
  if (!words.empty()) CHECK(outcome.message.find(line_of(words)) != std::string::npos);
}

}  // namespace

TEST_CASE("simt: a correct kernel runs, and gives the right sums") {
  const Outcome outcome = outcome_of(Bug::none);
  CAPTURE(outcome.message);
  CHECK_FALSE(outcome.kind.has_value());
  CHECK(outcome.y == std::vector<float>{64, 64, 64, 8});
}

TEST_CASE("simt: accesses outside of buffers and shared variables are found, with their line") {
  check_found(Bug::one_too_far, FindingKind::out_of_bounds, "y[i] = x[i];");
  check_found(Bug::shared_too_small, FindingKind::out_of_bounds, "values[threadIdx.x] = 1;");
}

TEST_CASE("simt: a wide access that is not aligned is found") {
  check_found(Bug::half_aligned, FindingKind::misaligned, "load_four(x + 2)");
}

TEST_CASE("simt: a read of memory that nobody wrote is found") {
  check_found(Bug::never_written, FindingKind::uninitialised, "values[(threadIdx.x + 1) % 64]");
}

TEST_CASE("simt: races are found, in shared and in device memory") {
  check_found(Bug::no_barrier, FindingKind::race, "values[threadIdx.x] = static_cast<float>(threadIdx.x);");
  check_found(Bug::both_write, FindingKind::race, "y[threadIdx.x / 2]");
  check_found(Bug::zeroed_at_once, FindingKind::race, "perhaps before it is zero");
}

TEST_CASE("simt: barriers and shuffles that some threads do not reach are found") {
  check_found(Bug::barrier_in_branch, FindingKind::divergent_barrier, "__syncthreads();  // of 40");
  check_found(Bug::shuffle_in_branch, FindingKind::divergent_warp, "__shfl_xor_sync(0xffffffffU, value, 1)");
}

TEST_CASE("simt: a result that depends on the order of blocks is found") {
  check_found(Bug::first_come, FindingKind::order_dependence, "");
}

TEST_CASE("simt: stores that are all the same may meet if they say so, but reads may not meet them") {
  const Outcome outcome = outcome_of(Bug::same_store);
  CAPTURE(outcome.message);
  CHECK_FALSE(outcome.kind.has_value());
  CHECK(outcome.y == std::vector<float>(4, std::bit_cast<float>(0x01010101U)));
  check_found(Bug::same_plain_store, FindingKind::race, "bytes_of(y)[threadIdx.x % 16] = 1;");
  check_found(Bug::same_store_then_read, FindingKind::race, "which others have stored to");
  check_found(Bug::neighbours_then_read, FindingKind::race, "if (threadIdx.x == 1) y[4]");
}

TEST_CASE("simt: a barrier of a part of a warp orders that part, and no other lanes") {
  const Outcome outcome = outcome_of(Bug::halves_then_all);
  CAPTURE(outcome.message);
  CHECK_FALSE(outcome.kind.has_value());
  check_found(Bug::half_warp_barrier, FindingKind::race, "// not a lane of its barrier");
}

TEST_CASE("simt: the last block to draw a ticket may use what the others wrote, if fences and barriers are all there") {
  for (const auto& [bug, total] : {std::pair{Bug::last_adds, 3.0F}, {Bug::last_of_two_levels, 8.0F}}) {
    const Outcome outcome = outcome_of(bug);
    CAPTURE(outcome.message);
    CHECK_FALSE(outcome.kind.has_value());
    CHECK(outcome.y == std::vector<float>(4, total));
    CHECK(outcome.ticket == 0);
  }
  for (const Bug bug : {Bug::no_fence_before_ticket, Bug::no_fence_behind_ticket, Bug::no_barrier_before_ticket,
                        Bug::ticket_overwritten}) {
    CAPTURE(static_cast<int>(bug));
    check_found(bug, FindingKind::race, "total += sums[block * blockDim.x + i];");
  }
  check_found(Bug::last_but_one_adds, FindingKind::uninitialised, "total += sums[block * blockDim.x + i];");
}

TEST_CASE("simt: a copy or a fill that ends behind a buffer is found before it writes") {
  constexpr std::size_t kBytes = 16;
  const std::vector<unsigned char> host(2048, 7);
  std::vector<unsigned char> back(2048, 9);
  auto* buffer = static_cast<unsigned char*>(simt::allocate(kBytes));
  simt::fill_zero(buffer, kBytes);
  const unsigned char behind = buffer[kBytes];
  CHECK_THROWS_AS(simt::copy(buffer, host.data(), kBytes + 1), simt::Finding);
  CHECK_THROWS_AS(simt::copy(back.data(), buffer + 1, kBytes), simt::Finding);
  CHECK_THROWS_AS(simt::fill_zero(buffer + 1, kBytes), simt::Finding);
  CHECK(buffer[0] == 0);
  CHECK(buffer[kBytes] == behind);
  CHECK(back[0] == 9);
  simt::release(buffer);
}

TEST_CASE("simt: launches go on as before after one that ended with a finding") {
  for (int i = 0; i < 20; ++i) {
    CHECK(outcome_of(Bug::same_plain_store).kind == FindingKind::race);
    CHECK(outcome_of(Bug::barrier_in_branch).kind == FindingKind::divergent_barrier);
    CHECK_FALSE(outcome_of(Bug::none).kind.has_value());
  }
}
