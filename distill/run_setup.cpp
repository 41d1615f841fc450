#include "distill/run_setup.h"

#include <filesystem>

#include <cmath>
#include <omp.h>

#include "kernels/cpu/threads.h"
#include "kernels/device_info.h"

namespace retort {

Device device_of(const std::string& name) {
  if (name == "cpu") return Device::cpu;
  if (name == "auto") return cuda::available() ? Device::cuda : Device::cpu;
  cuda::device_info();  // throws where the backend is not built or has no device
  return Device::cuda;
}

Precision precision_of(const std::string& name, Device device) {
  if (name == "fp32") return Precision::fp32;
  RETORT_CHECK_AS(ErrorKind::device, name != "tf32" || device == Device::cuda, "--precision tf32 needs --device cuda");
  if (name == "tf32") return Precision::tf32;
  RETORT_CHECK_AS(ErrorKind::device, device == Device::cuda || cpu::has_bf16(),
                  "--precision bf16: this processor (", cpu::instruction_set(), ") has no bf16 instructions");
  return Precision::bf16;
}

int use_threads(int threads) {
  cpu::set_threads(threads > 0 ? threads : omp_get_num_procs());
  return cpu::threads();
}

Dataset dataset_of(const RunOptions& o) {
  LoadOptions load;
  load.seed = o.seed;
  load.val_split = o.val_split;
  load.limit = o.limit;
  load.subset = o.subset;
  return load_dataset(o.data, load);
}

ImageFormat input_of(const Dataset& dataset) {
  return {dataset.height, dataset.width, dataset.channels, dataset.train.auxiliary_width};
}

namespace {

MixKind mix_kind(const std::string& name) {
  return name == "mixup" ? MixKind::mixup : name == "cutmix" ? MixKind::cutmix : name == "either" ? MixKind::either : MixKind::none;
}

}  // namespace

Augmentation augmentation_of(const RunOptions& o, const Dataset& dataset) {
  Augmentation a;
  if (o.augment == "recipe") {
    a.crop_padding = dataset.crop_padding;
    a.flip = dataset.flip;
  } else if (o.augment != "none") {
    if (o.augment != "flip") a.crop_padding = dataset.crop_padding > 0 ? dataset.crop_padding : 4;
    a.flip = o.augment != "crop";
  }
  a.mix.kind = mix_kind(o.mix);
  a.mix.share = static_cast<float>(o.mix_share);
  a.mix.beta = o.mix_beta;
  return a;
}

Schedule schedule_of(const RunOptions& o) {
  Schedule s;
  s.kind = schedule_kind(o.schedule);
  s.peak = o.lr;
  s.momentum = o.momentum;
  s.cycle_momentum = o.cycle_momentum;
  s.warmup = o.warmup;
  s.milestones = o.milestones;
  s.gamma = o.gamma;
  return s;
}

LossOptions loss_of(const RunOptions& o) {
  LossOptions loss;
  loss.label_smoothing = o.command == "teach" ? static_cast<float>(o.label_smoothing) : 0.0F;
  loss.divide_by_participants = o.divisor == "participants";
  if (o.regulation != "off") {
    loss.rule.participation = o.mask == "random" ? Participation::random : Participation::regulated;
  }
  loss.rule.confidence = o.confidence_measure == "margin"    ? Confidence::margin
                         : o.confidence_measure == "entropy" ? Confidence::entropy
                                                             : Confidence::max_probability;
  return loss;
}

OptimizerOptions optimizer_of(const RunOptions& o) {
  OptimizerOptions optimizer;
  optimizer.kind = o.optimizer == "adamw" ? OptimizerKind::adamw : OptimizerKind::sgd;
  optimizer.nesterov = o.nesterov == 1;
  return optimizer;
}

StepPlan step_plan_of(const RunOptions& o, const Dataset& dataset) {
  StepPlan plan;
  plan.augmentation = augmentation_of(o, dataset);
  plan.optimizer = optimizer_of(o);
  plan.loss = loss_of(o);
  plan.method = &find_method(o.method);
  plan.distillation = {static_cast<float>(o.alpha), static_cast<float>(o.temperature)};
  plan.scoring = o.scoring == "training" ? ForwardMode::training() : ForwardMode::evaluation();
  plan.scoring.dropout = false;
  plan.batch = o.batch;
  plan.record = o.graph != "off";
  plan.teacher_beside = true;
  return plan;
}

std::string encoders_path(const RunOptions& o) {
  if (!o.encoders.empty()) return o.encoders;
  RETORT_CHECK(std::filesystem::is_directory(o.teacher), "--method ", o.method,
               " needs --encoders FILE (retort tst-pretrain makes it), or a teacher's run folder with encoders.safetensors");
  return o.teacher + "/encoders.safetensors";
}

std::vector<std::int32_t> labels_of(const ImageSplit& split) {
  return split.labels.empty() ? std::vector<std::int32_t>(static_cast<std::size_t>(split.count())) : split.labels;
}

std::vector<std::int32_t> source_rows(const ImageSplit& split) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(split.count()));
  for (int i = 0; i < split.count(); ++i) rows[static_cast<std::size_t>(i)] = split.source_row(i);
  return rows;
}

double threshold_of(const RunOptions& o, int epoch) {
  const double last = std::ceil(o.epochs) - 1;
  if (o.confidence_end < 0 || last <= 0) return o.confidence;
  return o.confidence + (o.confidence_end - o.confidence) * epoch / last;
}

}  // namespace retort
