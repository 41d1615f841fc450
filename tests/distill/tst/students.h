// Small runs of --method tst.
#pragma once

#include "distill/tst/encoders.h"
#include "tests/distill/runs.h"

namespace retort::test {

/// With a teacher, and encoders that are not the identity.
class Students {
 public:
  Students() {
    run(small_run("teach", folder / "teacher"));
    Context context;
    const Dataset data = load_dataset(small_run("teach", "").data, {});
    const Encoders encoders = make_encoders(data.channels);
    for (const auto& encoder : encoders) {
      encoder->initialise(context, Trainable::no);
      // The strength moves or brightens.
      std::vector<float> weight = encoder->parameters().read(1);
      const std::size_t inputs = weight.size() / (encoder->geometric() ? 6 : 2);
      weight[inputs - 1] = 0.5F;
      weight[3 * inputs - 1 < weight.size() ? 3 * inputs - 1 : 2 * inputs - 1] = 0.3F;
      encoder->parameters().write(1, weight);
    }
    write_safetensors(folder / "teacher/encoders.safetensors", to_file(encoders, data.channels));
  }
  RunOptions student(const std::string& name) const {
    RunOptions o = small_run("distill", folder / name);
    o.teacher = folder / "teacher";
    o.method = "tst";
    o.epochs = 3;
    o.tst_phases = {0, 1};
    o.tst_length = 2;
    return o;
  }
  const TemporaryFolder folder;
};

}  // namespace retort::test
