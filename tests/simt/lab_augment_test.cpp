// bench/lab/augment: every version writes the definition's bytes, and moves as much memory as the lab's README says.
#include "bench/lab/augment/augment.h"
#include "tests/reference/augmentation.h"
#include "tests/simt/backend.h"
#include "tests/simt/traffic.h"
#include "tests/support/buffer.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

struct Problem {
  AugmentShape shape;
  StepState step;
  Values numbers, who;
  Buffer images, samples;
  DeviceStruct<StepState> state;
  Buffer out;

  explicit Problem(const AugmentShape& s)
      : shape(s),
        step(state_of()),
        numbers(random_integers(static_cast<std::size_t>(kDataSet * lab::pixel_count(s) * s.channels), 1, 256)),
        who(random_integers(static_cast<std::size_t>(s.rows), 2, kDataSet)),
        images(input(simt_backend(), DType::u8, numbers)),
        samples(input(simt_backend(), DType::i32, who)),
        state(simt_backend(), step, Buffer::Use::input),
        out(output(simt_backend(), s.dtype, static_cast<std::size_t>(s.rows * lab::pixel_count(s) * s.out_channels))) {}

  static constexpr int kDataSet = 9;
  static StepState state_of() {
    StepState state;
    state.seed = 8;
    state.epoch = 3;
    return state;
  }
  lab::Augment arguments() const { return {shape, images.as<std::uint8_t>(), samples.i32(), state.data(), out.data()}; }
  Values expected() const { return reference::gather_augment(shape, numbers, who, step); }
};

/// Scales and shifts are such that nothing is rounded but to bf16.
AugmentShape shape_of(DType dtype, int rows, int height, int width, int channels, int out_channels) {
  AugmentShape s;
  s.rows = rows;
  s.height = height;
  s.width = width;
  s.channels = channels;
  s.out_channels = out_channels;
  s.crop_padding = 4;
  s.flip = true;
  s.dtype = dtype;
  for (int c = 0; c < 4; ++c) {
    s.scale[c] = 1.0F / static_cast<float>(32 << c);
    s.shift[c] = -1.0F - 0.25F * static_cast<float>(c);
  }
  return s;
}

}  // namespace

TEST_CASE("lab: every version of augmentation writes the definition's bytes") {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    // Odd images, grey ones, channels that are added, and one too large for v4.
    for (const AugmentShape& shape :
         {shape_of(dtype, 3, 5, 7, 3, 3), shape_of(dtype, 2, 28, 28, 1, 1), shape_of(dtype, 7, 8, 6, 3, 4),
          shape_of(dtype, 4, 12, 12, 3, 3), shape_of(dtype, 3, 4, 4, 2, 8), shape_of(dtype, 1, 44, 32, 3, 3)}) {
      const Problem definition(shape);
      const std::vector<std::uint8_t> expected = encode(dtype, definition.expected());
      for (const lab::AugmentVersion& version : lab::augment_versions) {
        if (!takes(version, shape)) continue;
        CAPTURE(version.name);
        CAPTURE(shape.height);
        CAPTURE(shape.width);
        const Problem problem(shape);
        version.run({}, problem.arguments());
        CHECK(problem.out.bytes() == expected);
      }
    }
  }
}

TEST_CASE("lab: what the versions of augmentation ask of memory") {
  constexpr int rows = 4;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    std::vector<double> moved, requests;
    const Problem problem(shape_of(dtype, rows, 32, 32, 3, 3));
    for (const lab::AugmentVersion& version : lab::augment_versions) {
      const ::simt::Traffic traffic = ::simt::traffic_of([&] { version.run({}, problem.arguments()); });
      moved.push_back(traffic.sector_bytes() / lab::least_bytes(problem.shape));
      requests.push_back(static_cast<double>(traffic.requests) / rows);
      MESSAGE(std::string(version.name) << ", " << std::string(version.idea)
                                        << (dtype == DType::bf16 ? ", bf16: " : ", fp32: ") << requests.back()
                                        << " requests an image, sectors " << moved.back() << " times the least");
    }
    CHECK(moved[0] > moved[1] + 1);          // each sector of the result three times
    CHECK(requests[2] < requests[1] / 2.5);  // four numbers a store, but each byte is still asked for alone
    CHECK(moved[2] < moved[1] + 0.1);
    CHECK(moved[3] < 1.04);
    CHECK(requests[3] == (dtype == DType::bf16 ? 28 : 40));  // 6 loads, 24 or 12 stores, a sample a warp, seed, epoch
  }
}

}  // namespace retort::test
