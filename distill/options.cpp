#include "distill/options.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "distill/dataset_recipe.h"
#include "distill/methods/method.h"
#include "engine/schedule.h"
#include "kernels/device_info.h"
#include "kernels/error.h"

namespace retort {
namespace {

void one_of(const char* option, const std::string& value, const std::vector<std::string>& known) {
  std::string list;
  for (const auto& name : known) {
    if (name == value) return;
    list += (list.empty() ? "" : ", ") + name;
  }
  fail(ErrorKind::usage, text("--", option, " ", value, ": must be one of ", list));
}

void in_range(const char* option, double value, double low, double high) {
  RETORT_CHECK(value >= low && value <= high, "--", option, " ", value, ": must lie in [", low, ", ", high, "]");
}

template <typename T>
void fill(T& field, const T& recipe, bool open) {
  if (open) field = recipe;
}

}  // namespace

void resolve(RunOptions& o) {
  const bool regulates = find_method(o.method).regulates && o.command == "distill";
  const DatasetRecipe recipe = dataset_recipe(o.data);
  fill(o.net, o.command == "teach" ? recipe.teacher : recipe.student, o.net.empty());
  fill(o.epochs, recipe.epochs, o.epochs < 0);
  fill(o.batch, recipe.batch, o.batch == 0);
  fill(o.optimizer, recipe.optimizer, o.optimizer.empty());
  fill(o.lr, o.command == "teach" ? recipe.lr : recipe.student_lr, o.lr < 0);
  fill(o.momentum, 0.9, o.momentum < 0);
  fill(o.nesterov, recipe.nesterov, o.nesterov < 0);
  fill(o.weight_decay, recipe.weight_decay, o.weight_decay < 0);
  fill(o.clip_norm, recipe.clip_norm, o.clip_norm < 0);
  if (o.schedule.empty()) {
    o.schedule = recipe.schedule;
    if (o.milestones.empty() && o.schedule == "multi-step") {
      for (const double share : recipe.milestone_shares) o.milestones.push_back(share * o.epochs);
    }
  }
  fill(o.regulation, std::string(regulates ? "mask" : "off"), o.regulation.empty());
  const bool extends = find_method(o.method).extends && o.command == "distill";
  fill(o.mix, std::string(extends ? "either" : "none"), o.mix.empty());

  const bool transforms = find_method(o.method).transforms && o.command == "distill";
  one_of("tst-module", o.tst_module, {"trained", "untrained", "random"});
  one_of("tst-terms", o.tst_terms, {"both", "teacher", "student"});
  const bool module_learns = transforms && o.tst_module != "untrained";
  if (module_learns) {
    // The published schedule of 240 epochs, in proportion.
    if (o.tst_phases.empty()) o.tst_phases = {std::round(o.epochs / 8), std::round(3 * o.epochs / 8)};
    fill(o.tst_length, std::max(1.0, std::round(o.epochs / 8)), o.tst_length < 0);
  }

  one_of("device", o.device, {"auto", "cpu", "cuda"});
  // Decided once: a run that is resumed stays where it began.
  if (o.device == "auto") o.device = cuda::available() ? "cuda" : "cpu";
  one_of("precision", o.precision, {"fp32", "tf32", "bf16"});
  one_of("graph", o.graph, {"auto", "off"});
  one_of("plans", o.plans, {"tuned", "heuristic"});
  one_of("fast", o.fast, {"on", "off"});
  one_of("weights", o.weights, {"rate", "linear", "log", "top-share"});
  one_of("cache-teacher", o.cache_teacher, {"auto", "on", "off"});
  one_of("fold-teacher", o.fold_teacher, {"auto", "on", "off"});
  if (o.fold_teacher == "auto" && o.command == "distill") o.fold_teacher = "on";  // decided once, as the device is
  one_of("optimizer", o.optimizer, {"sgd", "adamw"});
  one_of("augment", o.augment, {"recipe", "none", "crop", "flip", "crop-flip"});
  one_of("mix", o.mix, {"none", "mixup", "cutmix", "either"});
  in_range("mix-share", o.mix_share, 0, 1);
  in_range("mix-beta", o.mix_beta, 1, MixRule::kLargestBeta);
  one_of("shuffle", o.shuffle, {"on", "off"});
  one_of("regulation", o.regulation, {"off", "mask", "compact", "auto"});
  one_of("mask", o.mask, {"confidence", "random"});
  one_of("confidence-measure", o.confidence_measure, {"max-probability", "margin", "entropy"});
  one_of("divisor", o.divisor, {"batch", "participants"});
  schedule_kind(o.schedule);
  in_range("epochs", o.epochs, 1e-6, 1e6);
  in_range("eval-every", o.eval_every, 1, 1e6);
  in_range("batch", o.batch, 1, 1 << 16);
  in_range("lr", o.lr, 0, 1e3);
  in_range("momentum", o.momentum, 0, 0.9999);
  in_range("cycle-momentum", o.cycle_momentum, 0, 0.5);
  if (o.schedule == "one-cycle") in_range("cycle-momentum + momentum", o.momentum + o.cycle_momentum, 0, 0.9999);
  in_range("nesterov", o.nesterov, 0, 1);
  in_range("weight-decay", o.weight_decay, 0, 10);
  in_range("clip-norm", o.clip_norm, 0, 1e9);
  in_range("warmup", o.warmup, 0, 1);
  in_range("label-smoothing", o.label_smoothing, 0, 0.999);
  in_range("alpha", o.alpha, 0, 1);
  in_range("temperature", o.temperature, 1e-3, 1e3);
  in_range("confidence", o.confidence, 0, 1.01);
  in_range("confidence-end", o.confidence_end, -1, 1.01);
  in_range("random-share", o.random_share, 0, 1);
  in_range("top-share", o.top_share, 0, 1);
  in_range("rescore", o.rescore, 1, 1e6);
  in_range("threads", o.threads, 0, 4096);
  in_range("max-steps", static_cast<double>(o.max_steps), 0, 1e15);
  in_range("save-every-steps", static_cast<double>(o.save_every_steps), 0, 1e15);
  RETORT_CHECK(!regulates || o.regulation != "off", "--method ", o.method, " needs --regulation mask, compact or auto");
  if (o.regulation == "compact" || o.regulation == "auto") {
    RETORT_CHECK(!o.scoring.empty(), "--regulation ", o.regulation,
                 " needs --scoring training|evaluation: how batch norm behaves in the scoring pass (training: batch "
                 "statistics, the running ones updated; evaluation: running statistics)");
    one_of("scoring", o.scoring, {"training", "evaluation"});
    RETORT_CHECK(o.divisor == "batch", "--divisor participants makes no difference to --regulation ", o.regulation,
                 ": its batches consist of participants");
  }
  RETORT_CHECK(o.rescore == 1 || o.regulation == "compact" || o.regulation == "auto", "--rescore ", o.rescore,
               " needs --regulation compact or auto: nothing else has a scoring pass");
  RETORT_CHECK(!extends || o.mix != "none", "--method ", o.method, " needs --mix mixup, cutmix or either");
  RETORT_CHECK(o.command == "distill" || o.mix == "none", "--mix ", o.mix, ": a mixture has no label but the teacher's");
  RETORT_CHECK(o.rescore == 1 || o.eval_every == 1, "--rescore ", o.rescore, " needs --eval-every 1");
  RETORT_CHECK(o.rescore == 1 || o.mix == "none", "--rescore ", o.rescore, " needs --mix none: each epoch has other mixtures");
  RETORT_CHECK(o.regulation != "auto" || o.eval_every == 1, "--regulation auto, which chooses after each epoch, needs --eval-every 1");
  RETORT_CHECK(o.mix == "none" || !find_method(o.method).weighs_by_significance, "--mix ", o.mix, ": --method ", o.method,
               " learns from some of the samples only, but mixtures hold the others too");
  if (transforms) {
    RETORT_CHECK(o.regulation == "off" && o.mix == "none", "--method ", o.method,
                 " needs --regulation off and --mix none");
    RETORT_CHECK(o.cache_teacher != "on", "--method ", o.method, " needs --cache-teacher off: its images change");
    for (const double epoch : o.tst_phases) {
      RETORT_CHECK(epoch >= 0 && epoch < o.epochs && epoch == std::floor(epoch), "--tst-phases ", epoch,
                   ": whole numbers of epochs below ", o.epochs, " are possible");
    }
    RETORT_CHECK(std::is_sorted(o.tst_phases.begin(), o.tst_phases.end()), "--tst-phases: in ascending order");
    RETORT_CHECK(!module_learns || (o.tst_length >= 1 && o.tst_length <= 10'000 && o.tst_length == std::floor(o.tst_length)), "--tst-length ",
                 o.tst_length, ": must be a whole number of epochs, 1 to 10,000");
  }
  RETORT_CHECK(transforms || (o.tst_module == "trained" && o.tst_terms == "both" && o.encoders.empty()),
               "--encoders, --tst-module and --tst-terms need --method tst");
  RETORT_CHECK(module_learns || o.tst_length < 0, "--tst-length needs --method tst, with a module that learns");
  RETORT_CHECK(module_learns || o.tst_phases.empty(), "--tst-phases needs --method tst, with a module that learns");
  if (o.cache_teacher == "on") {
    RETORT_CHECK(o.mix == "none", "--cache-teacher on needs --mix none: the teacher has to see what the student sees");
    RETORT_CHECK(o.augment == "none" || (o.augment == "recipe" && !recipe.augments),
                 "--cache-teacher on needs --augment none: the teacher has to see what the student sees");
  }
  if (o.command == "distill") RETORT_CHECK(!o.teacher.empty(), "distill needs --teacher RUN_OR_FILE");
}

}  // namespace retort
