// defines: draw_transforms, encoder_features
#include "engine/op_support.h"
#include "engine/transforms.h"

namespace retort {
namespace {

Var features_of(Tape& tape, const Var& learned, const float* strength, int rows, int transform, float deviation,
                const StepState* state, bool records) {
  RETORT_CHECK(learned->shape().rank() == 1 && learned->shape()[0] <= kMostLearned, "encoder features: learned values ",
               learned->shape(), ", at most ", kMostLearned);
  const int width = learned->shape().at(0);
  Var y = detail::result(tape, {rows, width + 1}, DType::f32, records, "encoder features");
  RETORT_LAUNCH(tape.context(), 0, encoder_features_forward, rows, width, transform, deviation, learned->value.f32(),
                strength, state, y->value.f32());
  return y;
}

/// Calls write with where the parameter's gradient goes, or null if it wants none.
template <typename Write>
void gradient_or_null(Tape& tape, Variable& parameter, const Write& write) {
  if (!parameter.requires_grad) return write(nullptr);
  tape.write_parameter_gradient(parameter, write);
}

/// From the gradient of features to those of learned values and strengths.
void pass_back(Tape& tape, const Var& learned, const Tensor& dfeatures, float* dstrength) {
  const int rows = dfeatures.shape().at(0), width = learned->shape().at(0);
  gradient_or_null(tape, *learned, [&](float* dlearned) {
    RETORT_LAUNCH(tape.context(), 0, encoder_features_backward, rows, width, dfeatures.f32(), dlearned, dstrength);
  });
}

}  // namespace

DrawnTransforms draw_transforms(Tape& tape, const TransformDraws& draws, int rows, const Var& probabilities,
                                const Var& magnitudes, const std::vector<Var>& learned, float deviation,
                                const StepState* state) {
  RETORT_CHECK(draws.count > 0 && draws.count <= TransformDraws::kMost &&
                   learned.size() == static_cast<std::size_t>(draws.count),
               "draw_transforms: ", draws.count, " transforms, ", learned.size(), " encoders");
  RETORT_CHECK(probabilities->shape() == Shape({draws.transforms}) && magnitudes->shape() == Shape({draws.magnitudes}),
               "draw_transforms: probabilities ", probabilities->shape(), ", magnitudes ", magnitudes->shape());
  bool records = tape.records(probabilities, magnitudes);
  for (const Var& one : learned) records = records || tape.records(one);
  Context& context = tape.context();
  DrawnTransforms drawn;
  drawn.share = detail::result(tape, {draws.count, rows}, DType::f32, records, "transform shares");
  const Tensor strength = context.make({draws.count, rows}, DType::f32, "transform strengths");
  RETORT_LAUNCH(context, 0, transform_draws_forward, draws, rows, probabilities->value.f32(), magnitudes->value.f32(),
                state, drawn.share->value.f32(), strength.f32());
  for (int k = 0; k < draws.count; ++k) {
    const Var& own = learned[static_cast<std::size_t>(k)];
    const float* from = strength.f32() + std::int64_t{k} * rows;
    drawn.features.push_back(own ? features_of(tape, own, from, rows, draws.transform[k], deviation, state, records)
                                 : nullptr);
  }
  if (!records) return drawn;
  tape.record("draw_transforms", [&tape, draws, rows, probabilities, magnitudes, learned, state, drawn] {
    Context& context = tape.context();
    Tensor dstrength = context.make({draws.count, rows}, DType::f32, "transform strength gradients");
    RETORT_LAUNCH(context, 0, fill_zero, dstrength.data(), dstrength.bytes());
    for (std::size_t k = 0; k < learned.size(); ++k) {
      if (!drawn.features[k]) continue;
      const Tensor dfeatures = tape.take_gradient(*drawn.features[k]);
      if (dfeatures) pass_back(tape, learned[k], dfeatures, dstrength.f32() + static_cast<std::int64_t>(k) * rows);
    }
    Tensor dshare = tape.take_gradient(*drawn.share);
    if (!dshare) {
      dshare = detail::gradient_like(tape, *drawn.share, "transform share gradients");
      RETORT_LAUNCH(context, 0, fill_zero, dshare.data(), dshare.bytes());
    }
    if (!probabilities->requires_grad && !magnitudes->requires_grad) return;
    gradient_or_null(tape, *probabilities, [&](float* dprobabilities) {
      gradient_or_null(tape, *magnitudes, [&](float* dmagnitudes) {
        RETORT_LAUNCH(context, 0, transform_draws_backward, draws, rows, probabilities->value.f32(),
                      magnitudes->value.f32(), state, dshare.f32(), dstrength.f32(), dprobabilities, dmagnitudes);
      });
    });
  });
  return drawn;
}

Var encoder_features(Tape& tape, const Var& learned, const Tensor& strength, int transform, float deviation,
                     const StepState* state) {
  RETORT_CHECK(strength.shape().rank() == 1 && strength.dtype() == DType::f32, "encoder_features: strengths ",
               strength.shape());
  const int rows = strength.shape().at(0);
  const bool records = tape.records(learned);
  Var y = features_of(tape, learned, strength.f32(), rows, transform, deviation, state, records);
  if (!records) return y;
  tape.record("encoder_features", [&tape, learned, rows, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    const Tensor unused = tape.context().make({rows}, DType::f32, "strength gradients");
    pass_back(tape, learned, dy, unused.f32());
  });
  return y;
}

}  // namespace retort
