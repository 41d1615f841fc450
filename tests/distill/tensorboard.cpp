// Event files: the bytes of a small one, and what a run writes. TensorBoard's own reader has read the same files.
#include "distill/tensorboard.h"

#include <cstring>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char byte : bytes) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(byte));
    out += two;
  }
  return out;
}

/// The data of every frame; fails the test where a frame is not whole.
std::vector<std::string> frames_of(const std::string& file) {
  std::vector<std::string> frames;
  for (std::size_t at = 0; at < file.size();) {
    std::uint64_t length = 0;
    REQUIRE(file.size() >= at + 12);
    std::memcpy(&length, file.data() + at, sizeof length);
    REQUIRE(file.size() >= at + 16 + length);
    frames.push_back(file.substr(at + 12, length));
    at += 16 + length;
  }
  return frames;
}

}  // namespace

TEST_CASE("tensorboard: checksums and bytes") {
  CHECK(crc32c("123456789") == 0xE3069283U);            // the check value of CRC-32C
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAU);  // RFC 3720, B.4
  // Written by torch.utils.tensorboard's dependency, tensorboard 2.x: EventFileWriter's first record, wall_time 0.
  CHECK(hex(tensorboard_header(0)).substr(24, 48) ==
        "09"
        "0000000000000000"
        "1a0d"
        "627261696e2e4576656e743a32");
  const auto frames = frames_of(tensorboard_scalars(1.5, 300, {{"a", 0.5}, {"b", 1.0 / 0.0}, {"c", -2}}));
  REQUIRE(frames.size() == 1);
  CHECK(hex(frames[0]) ==
        "09"
        "000000000000f83f"  // wall time 1.5
        "10"
        "ac02"  // step 300
        "2a"
        "14"  // summary: 20 bytes
        "0a08"
        "0a0161"
        "150000003f"  // "a" 0.5
        "0a08"
        "0a0163"
        "15000000c0");  // "c" -2; infinity is left out
}

TEST_CASE("tensorboard: a run's events, an epoch a step, also across a resume") {
  const TemporaryFolder folder;
  RunOptions options = small_run("teach", folder / "run");
  options.regulation = "mask";
  options.epochs = 3;
  options.max_steps = 5;  // in the middle of the second epoch
  CHECK(!run(options).result.finished);
  const std::string path = folder / "run/events.out.tfevents.retort";
  CHECK(frames_of(contents(path)).size() == 2);
  // A kill can leave half a frame; a resume begins with what metrics.jsonl has.
  put_text(path, contents(path) + "half a frame");
  options.max_steps = 0;
  CHECK(run(options, true).result.finished);
  const auto frames = frames_of(contents(path));
  REQUIRE(frames.size() == 4);
  CHECK(contains(frames[0], "brain.Event:2"));
  for (const char* tag :
       {"loss/train", "loss/test", "accuracy/train", "accuracy/test", "participation", "learning rate", "threshold"}) {
    CHECK_MESSAGE(contains(frames[3], tag), tag);
  }
}
