// retort evaluate, retort predict
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "distill/checkpoint.h"
#include "distill/commands.h"
#include "distill/evaluation.h"
#include "distill/normalisation.h"
#include "distill/predictions.h"
#include "distill/run_setup.h"

namespace retort {
namespace {

struct EvaluateArguments {
  std::string checkpoint, data, net, split = "test", device = "auto", precision = "fp32", out;
  int batch = 256, threads = 0, limit = 0;
  bool json = false;
};

struct Evaluated {
  Dataset data;
  std::string net, metric;
  Evaluation evaluation;
  std::vector<float> logits;  // (count, outputs)
  int outputs = 0;
  const ImageSplit& split(const std::string& name) const { return name == "train" ? data.train : data.test; }
};

Evaluated run(const EvaluateArguments& a) {
  RETORT_CHECK(a.split == "train" || a.split == "test", "--split ", a.split, ": must be train or test");
  RETORT_CHECK(a.batch > 0, "--batch ", a.batch);
  use_threads(a.threads);
  Evaluated out;
  LoadOptions load;
  (a.split == "train" ? load.limit : load.limit_test) = a.limit;
  out.data = load_dataset(a.data, load);
  const std::string path = checkpoint_path(a.checkpoint);
  const TensorFile file = read_safetensors(path);
  if (const auto seen = normalisation_of(file, path, out.data.channels)) set_normalisation(out.data, *seen);
  const auto task = make_task(out.data);
  out.outputs = task->outputs();
  out.metric = task->metric();
  const Device device = device_of(a.device);
  Context context(device, precision_of(a.precision, device));
  const auto network = network_of(file, path, a.net, input_of(out.data), out.outputs);
  network->parameters().materialise(context, 0, Trainable::no);
  load_network(file, path, *network, false);
  out.net = network->name();
  DeviceDataset rows(context, out.data, out.split(a.split));
  context.begin_measuring();
  evaluate(context, *network, rows, *task, a.batch);
  context.end_measuring();
  out.evaluation = evaluate(context, *network, rows, *task, a.batch, &out.logits);
  return out;
}

/// confusion[label][prediction] counts.
std::vector<std::vector<int>> confusion_of(const Evaluated& e, const ImageSplit& split) {
  return confusion_of(predictions_of(split, e.logits), e.outputs);
}

void print_confusion(const Evaluated& e, const ImageSplit& split) {
  const auto counts = confusion_of(e, split);
  const auto name = [&](std::size_t c) {
    return c < e.data.class_names.size() ? e.data.class_names[c] : "class " + std::to_string(c);
  };
  if (counts.size() > 20) {
    // A hundred columns help nobody: the commonest confusions do.
    std::vector<std::tuple<int, std::size_t, std::size_t>> pairs;
    for (std::size_t i = 0; i < counts.size(); ++i)
      for (std::size_t j = 0; j < counts.size(); ++j)
        if (i != j && counts[i][j] > 0) pairs.emplace_back(-counts[i][j], i, j);
    std::sort(pairs.begin(), pairs.end());
    std::printf("commonest confusions (label -> prediction):\n");
    for (std::size_t k = 0; k < std::min<std::size_t>(15, pairs.size()); ++k) {
      const auto& [count, i, j] = pairs[k];
      std::printf("  %4d  %s -> %s\n", -count, name(i).c_str(), name(j).c_str());
    }
    return;
  }
  std::printf("confusion (row: label, column: prediction):\n%16s", "");
  for (std::size_t j = 0; j < counts.size(); ++j) std::printf("%7zu", j);
  std::printf("\n");
  for (std::size_t i = 0; i < counts.size(); ++i) {
    std::printf("%3zu %-12.12s", i, name(i).c_str());
    for (const int count : counts[i]) std::printf("%7d", count);
    std::printf("\n");
  }
}

void evaluate_command(const EvaluateArguments& a) {
  const Evaluated e = run(a);
  const ImageSplit& split = e.split(a.split);
  if (a.json) {
    nlohmann::ordered_json object = {{"net", e.net},
                                     {"split", a.split},
                                     {"rows", e.evaluation.rows},
                                     {e.metric, e.evaluation.metric},
                                     {"loss", e.evaluation.loss}};
    if (e.data.classes > 0) object["confusion"] = confusion_of(e, split);
    std::printf("%s\n", object.dump().c_str());
    return;
  }
  std::printf("%s on %ld %s images: %s %s, loss %.4f\n", e.net.c_str(), static_cast<long>(e.evaluation.rows),
              a.split.c_str(), e.metric.c_str(), metric_text(e.metric, e.evaluation.metric).c_str(), e.evaluation.loss);
  if (e.data.classes > 0) print_confusion(e, split);
}

void predict_command(const EvaluateArguments& a) {
  const Evaluated e = run(a);
  const ImageSplit& split = e.split(a.split);
  TensorFile file;
  file.tensors["logits"] = FileTensor::of(e.logits, {e.evaluation.rows, e.outputs});
  if (e.data.classes > 0) file.tensors["labels"] = FileTensor::of(split.labels, {e.evaluation.rows});
  write_safetensors(a.out, file);
  std::printf("wrote %ld x %d logits to %s\n", static_cast<long>(e.evaluation.rows), e.outputs, a.out.c_str());
}

void add_common(CLI::App* command, EvaluateArguments& a) {
  command->add_option("--checkpoint", a.checkpoint, "run folder (its last checkpoint) or safetensors file")->required();
  command->add_option("--data", a.data, "data set, as for teach")->required();
  command->add_option("--net", a.net, "network, for files that do not say");
  command->add_option("--split", a.split, "train or test");
  command->add_option("--batch", a.batch, "batch size");
  command->add_option("--limit", a.limit, "the first N images only");
  command->add_option("--device", a.device, "auto, cpu or cuda");
  command->add_option("--precision", a.precision, "fp32, tf32 or bf16");
  command->add_option("--threads", a.threads, "CPU threads; 0: all cores");
}

}  // namespace

void add_evaluate_commands(CLI::App& app) {
  auto a = std::make_shared<EvaluateArguments>();
  CLI::App* evaluate = app.add_subcommand("evaluate", "Accuracy (or error), loss and confusion of a checkpoint");
  add_common(evaluate, *a);
  evaluate->add_flag("--json", a->json,
                     "one JSON object: net, split, rows, accuracy, loss, confusion[label][prediction]");
  evaluate->callback([a] { evaluate_command(*a); });

  auto p = std::make_shared<EvaluateArguments>();
  CLI::App* predict = app.add_subcommand("predict", "Write the logits of a checkpoint, in the data set's order");
  add_common(predict, *p);
  predict->add_option("--out", p->out, "safetensors file: logits [N, outputs] float32, labels [N] int32 where there are classes")->required();
  predict->callback([p] { predict_command(*p); });
}

}  // namespace retort
