#include "bench/ops/loss_operands.h"
#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

void loss(Run& run, int rows, int dimensions, bool scoring_only) {
  const LossOperands o(run, rows, dimensions, scoring_only);
  const float* prediction = run.reads(DType::f32, std::int64_t{rows} * dimensions);
  const float* target = run.reads(DType::f32, std::int64_t{rows} * dimensions, 0, 1);
  const RegulationRule rule{Participation::regulated, Confidence::max_probability};
  run.time([&] {
    run.kernels.regulated_squared_error({}, rule, rows, dimensions, prediction, target, o.samples, o.state, o.out,
                                        o.gradient);
  });
}

}  // namespace

// The tests have no table for it. Dimensions of a gaze direction and of a face's landmarks.
void add_squared_loss(Suite& suite) {
  for (const int dimensions : {2, 196})
    for (const bool scoring_only : {false, true}) {
      const std::string id =
          std::to_string(network_batch) + " rows of " + std::to_string(dimensions) + (scoring_only ? " scoring" : "");
      suite.add("squared_loss", "loss", id, DType::f32,
                [=](Run& run) { loss(run, network_batch, dimensions, scoring_only); });
    }
}

}  // namespace retort::bench
