#include "distill/evaluation.h"

#include "distill/forward_input.h"

#include <algorithm>
#include <numeric>

namespace retort {

Evaluator::Evaluator(Context& context, Network& network, DeviceDataset& data, const Task& task, int batch, bool record)
    : context_(context),
      network_(network),
      data_(data),
      task_(task),
      batch_(batch),
      feed_(context, data.count(), batch),
      recorded_(context, record),
      step_(context) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(data.count()));
  std::iota(order.begin(), order.end(), 0);
  feed_.fill(order, {});
}

/// Adds the next rows to the totals. The network's outputs.
Tensor Evaluator::one_batch(int rows) {
  const Tensor samples = context_.make({rows}, DType::i32, "samples");
  RETORT_LAUNCH(context_, 0, begin_step, feed_.tables(), rows, samples.i32(), step_.device());
  Tape tape(context_, Tape::Recording::off);
  const Batch batch = data_.batch(samples, {}, step_.device());
  const Var output = network_.forward(tape, forward_input(tape, batch, step_.device()), ForwardMode::evaluation());
  const RowReport report = task_.loss(tape, output, {batch, step_.device(), {}});
  StepOutcome outcome;
  outcome.rows = rows;
  outcome.loss = report.loss.f32();
  if (report.error) outcome.error = report.error.f32();
  outcome.correct = report.correct.i32();
  outcome.participates = report.participates.i32();
  outcome.samples = samples.i32();
  RETORT_LAUNCH(context_, 0, commit_step, outcome, step_.device());
  return output->value;
}

Evaluation Evaluator::run(std::vector<float>* logits) {
  const auto outputs = static_cast<std::size_t>(task_.outputs());
  if (logits) logits->assign(static_cast<std::size_t>(data_.count()) * outputs, 0.0F);
  step_.host = {};
  step_.push();
  const int last = (data_.count() - 1) / batch_ * batch_;
  for (int first = 0; first < data_.count(); first += batch_) {
    // Those in between want what the first does; the last, if it is smaller, has plans of its own.
    if (context_.measuring() && first > 0) first = last;
    const int rows = std::min(batch_, data_.count() - first);
    if (logits) {
      copy_to_host(context_, one_batch(rows), logits->data() + static_cast<std::size_t>(first) * outputs);
    } else {
      recorded_.run("evaluate", rows, [&] { one_batch(rows); });
    }
  }
  step_.pull();
  const StepState& totals = step_.host;
  return {task_.value(totals), totals.loss_sum / std::max(1, data_.count()),
          data_.count()};
}

Evaluation evaluate(Context& context, Network& network, DeviceDataset& data, const Task& task, int batch,
                    std::vector<float>* logits) {
  return Evaluator(context, network, data, task, batch).run(logits);
}

}  // namespace retort
