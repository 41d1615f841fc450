// Encoders of image operations: what they begin as, their file, and that they learn.
#include "distill/tst/encoders.h"

#include "distill/device_step.h"
#include "distill/tst/imitation.h"
#include "engine/image_ops.h"
#include "engine/transforms.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("tst: an encoder that has learned nothing changes nothing") {
  Context context;
  for (const int channels : {1, 3}) {
    for (const auto& encoder : make_encoders(channels)) {
      CAPTURE(info_of(encoder->operation()).name);
      encoder->initialise(context, Trainable::yes);
      const DeviceStep state(context);
      context.begin_measuring();
      context.make({4 << 20}, DType::u8, "room");
      context.end_measuring();
      const Tensor images = context.make({2, 6, 7, channels}, DType::f32, "images");
      for (std::int64_t i = 0; i < images.count(); ++i) images.f32()[i] = static_cast<float>(i % 17) / 17;
      const Tensor strengths = context.make({2}, DType::f32, "strengths");
      strengths.f32()[0] = -1;
      strengths.f32()[1] = 0.7F;
      Tape tape(context, Tape::Recording::off);
      const Var features = encoder_features(tape, encoder->learned(), strengths, 0, 0, state.device());
      const Var made = (*encoder)(tape, images, features);
      for (std::int64_t i = 0; i < images.count(); ++i)
        CHECK(made->value.f32()[i] == doctest::Approx(images.f32()[i]).epsilon(1e-5));
    }
  }
}

TEST_CASE("tst: encoders imitate operations, and keep what they learned in a file") {
  const TemporaryFolder folder;
  Context context;
  const Dataset data = load_dataset("synthetic:train=200,test=20,classes=4", {});
  ImitationOptions options;
  options.learning_rate = 5e-3;
  options.decay = 0.99;
  options.batch = 16;
  Encoders encoders = make_encoders(data.channels);
  for (const auto& encoder : encoders) encoder->initialise(context, Trainable::yes);
  for (const Operation operation : {Operation::shear_x, Operation::brightness}) {
    Encoder& encoder = *encoders[static_cast<std::size_t>(operation)];
    const ImitationError before = imitation_error(context, encoder, data, data.test, 5);
    imitate(context, encoder, data, options, {});
    const ImitationError after = imitation_error(context, encoder, data, data.test, 5);
    CAPTURE(info_of(operation).name);
    CHECK(before.share() == doctest::Approx(1).epsilon(1e-3));
    CHECK(after.unchanged == doctest::Approx(before.unchanged));
    CHECK(after.share() < 0.5);
  }
  write_safetensors(folder / "encoders", to_file(encoders, data.channels));
  const Encoders again = read_encoders(context, folder / "encoders", data.channels);
  for (std::size_t i = 0; i < encoders.size(); ++i) {
    for (std::size_t k = 0; k < encoders[i]->parameters().parameter_count(); ++k) {
      CHECK(again[i]->parameters().read(k) == encoders[i]->parameters().read(k));
      CHECK(!again[i]->parameters().variable(k)->requires_grad);
    }
  }
  const auto read = [&](const std::string& name, int channels) {
    return failure_of([&] { read_encoders(context, folder / name, channels); });
  };
  CHECK(read("encoders", 4 - data.channels).kind == ErrorKind::input);
  TensorFile other;
  write_safetensors(folder / "other", other);
  CHECK(read("other", data.channels).says("tst-pretrain"));
}
