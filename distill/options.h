// Everything that defines a run. One table feeds the command line, config.toml and the comparison of
// finished runs, so that no option can exist in one of them only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace retort {

struct RunOptions {
  std::string command = "teach";  // teach or distill
  // What
  std::string data = "synthetic";
  std::string net;
  std::string out;
  std::uint32_t seed = 1;
  std::string device = "auto";
  std::string precision = "fp32";
  int threads = 0;
  std::string graph = "auto";
  std::string plans = "tuned";
  std::string fast = "off";
  // Distillation
  std::string method = "kd";
  std::string teacher;
  std::string teacher_net;
  std::string significance;
  std::string weights = "rate";
  double top_share = 0.5;
  double temperature = 4;
  double alpha = 0.9;
  std::string cache_teacher = "auto";
  std::string fold_teacher = "auto";
  // TST
  std::string encoders;
  std::vector<double> tst_phases;
  double tst_length = -1;
  std::string tst_module = "trained";
  std::string tst_terms = "both";
  // Recipe; negative or empty values are filled in from the data set's recipe
  double epochs = -1;
  int eval_every = 1;
  int batch = 0;
  std::string optimizer;
  double lr = -1;
  double momentum = -1;
  double cycle_momentum = 0.05;
  int nesterov = -1;
  double weight_decay = -1;
  double clip_norm = -1;
  std::string schedule;
  double warmup = 0;
  std::vector<double> milestones;
  double gamma = 0.1;
  double label_smoothing = 0;
  std::string augment = "recipe";
  std::string mix;
  double mix_share = 1;
  int mix_beta = 1;
  std::string shuffle = "on";
  // Self-regulation
  std::string regulation;
  std::string mask = "confidence";
  std::string confidence_measure = "max-probability";
  double confidence = 0.9;
  double confidence_end = -1;
  double random_share = 0.1;
  std::string divisor = "batch";
  std::string scoring;
  int rescore = 1;
  // Data selection and control
  std::string init;
  int val_split = 0;
  std::string subset;
  int limit = 0;
  std::int64_t max_steps = 0;
  std::int64_t save_every_steps = 0;
};

/// The table: visit(name, pointer to member, help) for every option of a run but `command` and `out`.
template <typename Visitor>
void visit_option_members(Visitor&& visit) {
  using O = RunOptions;
  visit("data", &O::data, "data set: NAME:PATH with mnist, fashion-mnist, cifar10, cifar100, folder, mpiigaze; or synthetic, gaze-synthetic");
  visit("net", &O::net, "network to train (retort info --nets); default: the recipe's");
  visit("seed", &O::seed, "seed of everything random");
  visit("device", &O::device, "auto, cpu or cuda");
  visit("precision", &O::precision, "fp32, tf32 or bf16");
  visit("threads", &O::threads, "CPU threads; 0: all cores");
  visit("graph", &O::graph, "steps recorded once and replayed (CUDA graphs): auto (where the device can) or off; same results");
  visit("plans", &O::plans, "cuDNN's algorithms: tuned (timed once a machine, then from its cache) or heuristic (cuDNN's guess)");
  visit("fast", &O::fast, "on: also cuDNN's algorithms that do not give the same bits each time");
  visit("method", &O::method, "how the student learns: kd, significance, regulated, hybrid, ... (retort info --methods)");
  visit("teacher", &O::teacher, "teacher: run folder or checkpoint (distill)");
  visit("teacher-net", &O::teacher_net, "the teacher's network, for a file of another program that does not say it");
  visit("significance", &O::significance, "significance CSV to use instead of the teacher's own counts");
  visit("weights", &O::weights, "w(s): rate = s/E, linear = s/max(s), log = log(1+s)/log(1+E), top-share [choice: rate]");
  visit("top-share", &O::top_share, "share of samples with weight 1 under --weights top-share");
  visit("temperature", &O::temperature, "T of kd = (1-alpha) CE + alpha T^2 KL(teacher || student) [choice: 4]");
  visit("alpha", &O::alpha, "share of the distillation term [choice: 0.9]");
  visit("cache-teacher", &O::cache_teacher, "teacher logits computed once: auto (when nothing is augmented), on, off");
  visit("fold-teacher", &O::fold_teacher,
        "the teacher's batch norm folded into its convolutions: auto (on), on, off; differs in the last bits");
  visit("encoders", &O::encoders,
        "tst: file of retort tst-pretrain; default: encoders.safetensors in the teacher's run folder");
  visit("tst-phases", &O::tst_phases,
        "tst: epochs of the student after which its module learns [choice: 1/8 and 3/8 of all, as 30 and 90 of 240]");
  visit("tst-length", &O::tst_length, "tst: epochs that the module learns each time [choice: 1/8 of the student's]");
  visit("tst-module", &O::tst_module, "tst: trained; ablations: untrained (never), random (strengths are drawn)");
  visit("tst-terms", &O::tst_terms, "tst: what the module learns from: both; ablations: teacher, student");
  visit("epochs", &O::epochs, "passes over the training samples in use; fractions count");
  visit("eval-every", &O::eval_every, "epochs between two evaluations, with their line and checkpoint; the last epoch has one too");
  visit("batch", &O::batch, "batch size");
  visit("optimizer", &O::optimizer, "sgd or adamw");
  visit("lr", &O::lr, "learning rate (one-cycle: the peak)");
  visit("momentum", &O::momentum, "SGD momentum");
  visit("cycle-momentum", &O::cycle_momentum,
        "one-cycle: SGD's momentum moves against the rate, between momentum + this and momentum - this; 0: fixed");
  visit("nesterov", &O::nesterov, "1: Nesterov momentum, 0: plain");
  visit("weight-decay", &O::weight_decay, "weight decay, on all parameters");
  visit("clip-norm", &O::clip_norm, "bound on the gradient norm; 0: none");
  visit("schedule", &O::schedule, "constant, multi-step, cosine or one-cycle");
  visit("warmup", &O::warmup, "share of training with a linear warm-up");
  visit("milestones", &O::milestones, "multi-step: epochs after which the rate is multiplied by gamma");
  visit("gamma", &O::gamma, "multi-step: the factor");
  visit("label-smoothing", &O::label_smoothing, "of the cross-entropy (teach)");
  visit("augment", &O::augment, "recipe (the data set's), none, crop, flip, crop-flip");
  visit("mix", &O::mix, "beyond the data set, labelled by the teacher: none, mixup, cutmix, either; default: the method's");
  visit("mix-share", &O::mix_share, "share of the samples that are mixed, drawn anew each epoch [choice: 1]");
  visit("mix-beta", &O::mix_beta, "k: a mixed sample's own part is drawn from Beta(k, k); 1 is uniform [choice: 1]");
  visit("shuffle", &O::shuffle, "on or off");
  visit("regulation", &O::regulation, "off, mask (the paper's rule), compact (saves time, its own learning rate), auto");
  visit("mask", &O::mask, "who participates: confidence (self-regulation) or random (control)");
  visit("confidence-measure", &O::confidence_measure, "max-probability, margin or entropy [choice: max-probability]");
  visit("confidence", &O::confidence, "threshold tau: a sample below it participates [choice: 0.9]");
  visit("confidence-end", &O::confidence_end, "threshold of the last epoch (linear in between); negative: fixed");
  visit("random-share", &O::random_share, "participation share of --mask random");
  visit("divisor", &O::divisor, "what the summed loss is divided by: batch or participants [choice: batch]");
  visit("scoring", &O::scoring, "compact: batch norm of the scoring pass, training or evaluation");
  visit("rescore", &O::rescore,
        "compact: score a sample every N epochs and reuse its mask in between; inexact for N > 1");
  visit("init", &O::init, "start from this checkpoint instead of random parameters");
  visit("val-split", &O::val_split, "N training images held out and used instead of the test set");
  visit("subset", &O::subset, "random part of the training images: 5000, 0.1, 10% or 20/class");
  visit("limit", &O::limit, "use the first N training images only");
  visit("max-steps", &O::max_steps, "stop after N batches (then --resume can go on)");
  visit("save-every-steps", &O::save_every_steps, "write a checkpoint every N batches, besides one an epoch");
}

/// visit(name, field, help) for the options of one run.
template <typename Options, typename Visitor>
void visit_options(Options& options, Visitor&& visit) {
  visit_option_members([&](const char* name, auto member, const char* help) { visit(name, options.*member, help); });
}

/// Fills in what the user left open from the data set's recipe (papers.md's where it has one) and checks every
/// choice. Throws Error(usage) that names the option and its values.
void resolve(RunOptions& options);

std::string to_toml(const RunOptions& options);
/// Reads what to_toml wrote, or a part of it. Throws Error(input) with file and line; unknown keys are errors.
RunOptions from_toml(const std::string& text, const std::string& name);
/// Values of some options by name, each as TOML writes it: 0.6, "mask", [1.0, 2.0].
using OptionValues = std::map<std::string, std::string>;
/// Sets those options. Throws Error(input) that begins with `where` for an unknown name or a value of another kind.
void set_options(RunOptions& options, const OptionValues& values, const std::string& where);
/// How long to go on, how often to save, and how it is run may change; what is computed may not. (Of threads the
/// checkpoint itself decides.)
bool may_change_at_resume(const std::string& option);
bool same_run(const RunOptions& a, const RunOptions& b);
/// The first option in which they differ, with both values: "lr = 0.1, now 0.2"; empty for the same run.
std::string first_difference(const RunOptions& before, const RunOptions& now);

}  // namespace retort
