#include "engine/arena.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "tests/engine/expect_error.h"

namespace retort::test {
namespace {

using Block = std::shared_ptr<void>;

std::ptrdiff_t distance(const Block& from, const Block& to) {
  return static_cast<char*>(to.get()) - static_cast<char*>(from.get());
}

/// Blocks of 1, 2 and 3 units come and go; returns the addresses in order.
std::vector<void*> some_step(Arena& arena) {
  Block a = arena.allocate(256, "a");
  Block b = arena.allocate(512, "b");
  std::vector<void*> addresses{a.get(), b.get()};
  a.reset();
  Block c = arena.allocate(768, "c");
  Block d = arena.allocate(100, "d");
  addresses.insert(addresses.end(), {c.get(), d.get()});
  return addresses;
}

}  // namespace

TEST_CASE("arena: blocks are placed first fit, lowest address first, at multiples of 256") {
  Arena arena(Device::cpu, "test");
  arena.reserve(256 * 8);
  Block a = arena.allocate(1, "a"), b = arena.allocate(256, "b"), c = arena.allocate(257, "c"),
        d = arena.allocate(0, "d");
  CHECK(reinterpret_cast<std::uintptr_t>(a.get()) % 256 == 0);
  CHECK(distance(a, b) == 256);
  CHECK(distance(a, c) == 512);
  CHECK(distance(a, d) == 1024);
  void* first = a.get();
  a.reset();
  const Block wide = arena.allocate(512, "wide");  // does not fit in the gap
  CHECK(distance(b, wide) == 1024);
  c.reset();
  const Block small = arena.allocate(200, "small");
  CHECK(small.get() == first);
  const Block middle = arena.allocate(512, "middle");
  CHECK(distance(b, middle) == 256);
}

TEST_CASE("arena: the same step gets the same addresses, and what was measured is enough") {
  Arena arena(Device::cpu, "test");
  arena.measure();
  CHECK(arena.measuring());
  const std::vector<void*> measured = some_step(arena);
  CHECK(arena.high_water() == 1536);
  arena.reserve();
  CHECK_FALSE(arena.measuring());
  CHECK(arena.reserved() == 1536);
  const std::vector<void*> first = some_step(arena);
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(static_cast<char*>(first[i]) - static_cast<char*>(first[0]) ==
          static_cast<char*>(measured[i]) - static_cast<char*>(measured[0]));
  }
  for (int round = 0; round < 3; ++round) CHECK(some_step(arena) == first);
  CHECK(arena.high_water() == 1536);
}

TEST_CASE("arena: the owners at the worst moment are known, largest first") {
  Arena arena(Device::cpu, "test");
  arena.measure();
  { const Block early = arena.allocate(1024, "gone before the peak"); }
  const Block a = arena.allocate(256, "small"), b = arena.allocate(512, "large"), c = arena.allocate(256, "large"),
              d = arena.allocate(300, "middle");
  const auto owners = arena.owners_at_peak();
  const std::vector<std::pair<std::string, std::size_t>> expected{{"large", 768}, {"middle", 512}, {"small", 256}};
  CHECK(owners == expected);
}

TEST_CASE("arena: a full arena says who wanted how much, and works on") {
  Arena arena(Device::cpu, "activations");
  arena.reserve(1024);
  Block a = arena.allocate(512, "a");
  const std::string message = message_of(ErrorKind::memory, [&] { arena.allocate(513, "conv2d"); });
  for (const char* part : {"activations", "conv2d", "513", "1024"}) check_contains(message, part);
  const Block b = arena.allocate(512, "b");
  CHECK(distance(a, b) == 512);
  a.reset();
  CHECK(arena.allocate(512, "c").get() != nullptr);
}

TEST_CASE("arena: it is neither measured nor reserved while blocks are in use") {
  Arena arena(Device::cpu, "test");
  arena.measure();
  Block a = arena.allocate(512, "a");
  message_of(ErrorKind::usage, [&] { arena.reserve(); });
  message_of(ErrorKind::usage, [&] { arena.measure(); });
  a.reset();
  arena.reserve();
  CHECK(arena.reserved() == 512);
}

TEST_CASE("arena: a block outlives its arena") {
  for (const bool reserved : {false, true}) {
    Block block;
    {
      Arena arena(Device::cpu, "test");
      if (reserved) arena.reserve(1024);
      block = arena.allocate(1000, "block");
    }
    std::memset(block.get(), 1, 1000);
    CHECK(static_cast<char*>(block.get())[999] == 1);
  }
}

TEST_CASE("arena: blocks from the heap are aligned and apart") {
  Arena arena(Device::cpu, "test");
  const Block a = arena.allocate(100, "a"), b = arena.allocate(100, "b");
  CHECK(reinterpret_cast<std::uintptr_t>(a.get()) % 256 == 0);
  CHECK(std::abs(distance(a, b)) >= 100);
}

TEST_CASE("arena: writing behind a block from the heap ends the program, naming the owner") {
  const auto outcome = [](std::ptrdiff_t offset) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      std::signal(SIGABRT, SIG_DFL);  // doctest's handler would report a crash of its own
      ::dup2(ends[1], STDERR_FILENO);
      {
        Arena arena(Device::cpu, "test");
        const Block block = arena.allocate(100, "the culprit");
        static_cast<volatile unsigned char*>(block.get())[offset] = 1;
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    std::string report(1000, '\0');
    const ssize_t size = ::read(ends[0], report.data(), report.size());
    report.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) == (offset >= 100));
    return report;
  };
  CHECK(outcome(99).empty());
  for (const std::ptrdiff_t offset : {100, 163}) {
    const std::string report = outcome(offset);
    check_contains(report, "the culprit");
    check_contains(report, "100 bytes");
  }
}

}  // namespace retort::test
