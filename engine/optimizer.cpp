#include "engine/optimizer.h"

namespace retort {

void optimizer_step(Context& context, ParameterStore& store, const OptimizerOptions& options, const Tensor& loss,
                    StepState* state) {
  store.finish_gradients();
  const ParameterRange range = store.range();
  RETORT_CHECK(range.gradient != nullptr && range.momentum != nullptr, "optimizer_step on a frozen network");
  RETORT_CHECK(options.kind == OptimizerKind::sgd || range.second_moment != nullptr,
               "AdamW needs parameters materialised with Moments::two");
  const std::size_t scratch = RETORT_BACKEND(context.device(), gradient_norm_workspace(range.n));
  RETORT_LAUNCH(context, scratch, gradient_norm, range.n, range.gradient_dtype, range.gradient, true, state);
  RETORT_LAUNCH(context, 0, judge_step, loss.shape().at(0), loss.f32(), state);
  // The norm reads the gradient; the update reads it again, and reads and writes the weights and each moment.
  const std::size_t updated = 1 + (options.kind == OptimizerKind::sgd ? 1 : 2);
  const std::size_t each = 2 * size_of(range.gradient_dtype) + 2 * updated * sizeof(float) +
                           (range.copy != nullptr ? sizeof(bfloat16) : 0);
  context.count_bytes(static_cast<std::size_t>(range.n) * each);
  if (options.kind == OptimizerKind::sgd) {
    RETORT_LAUNCH(context, 0, sgd_update, range, options.nesterov, state);
  } else {
    RETORT_LAUNCH(context, 0, adamw_update, range, options.beta1, options.beta2, options.epsilon, state);
  }
}

}  // namespace retort
