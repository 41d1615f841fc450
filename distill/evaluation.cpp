#include "distill/evaluation.h"

#include <algorithm>
#include <numeric>

namespace retort {

Evaluation evaluate(Context& context, Network& network, DeviceDataset& data, const Task& task, DeviceStep& step,
                    int batch, std::vector<float>* logits) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(data.count()));
  std::iota(rows.begin(), rows.end(), 0);
  if (logits) logits->assign(rows.size() * static_cast<std::size_t>(task.outputs()), 0.0F);
  double loss_sum = 0;
  std::int64_t correct = 0;
  std::vector<float> loss(static_cast<std::size_t>(batch));
  std::vector<std::int32_t> hit(static_cast<std::size_t>(batch));
  for (int first = 0; first < data.count(); first += batch) {
    const int count = std::min(batch, data.count() - first);
    Tape tape(context, Tape::Recording::off);
    const Batch part = data.batch(rows.data() + first, count, {}, step.device());
    const Var images = tape.variable(part.images, false, "images");
    const Var output = network.forward(tape, {images, part.samples, step.device()}, ForwardMode::evaluation());
    const RowReport report = task.loss(tape, output, part, step.device(), {});
    copy_to_host(context, report.loss, loss.data());
    copy_to_host(context, report.correct, hit.data());
    if (logits) copy_to_host(context, output->value, logits->data() + static_cast<std::size_t>(first) * static_cast<std::size_t>(task.outputs()));
    if (context.measuring()) {
      if (first > 0) break;  // every full batch wants the same
      continue;
    }
    for (int i = 0; i < count; ++i) {
      loss_sum += static_cast<double>(loss[static_cast<std::size_t>(i)]);
      correct += hit[static_cast<std::size_t>(i)];
    }
  }
  return {task.value(loss_sum, correct, data.count()), loss_sum / std::max(1, data.count()), data.count()};
}

}  // namespace retort
