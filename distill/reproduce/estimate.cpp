#include "distill/reproduce/estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "data/select.h"
#include "distill/dataset_recipe.h"
#include "distill/methods/method.h"
#include "distill/trial_steps.h"

namespace retort {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double patience = 0.25;  // seconds a network is timed
constexpr int most_steps = 64;
// A step of more than that takes seconds on a processor; there a smaller batch costs nearly the same an image.
constexpr double large_step_macs = 1e10;
constexpr int small_batch = 16;

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Facts {
  int train, test, height, width, channels, classes;
};

/// Of the sets whose publishers fixed them.
const Facts* known_facts(const std::string& name) {
  static const std::map<std::string, Facts> known = {{"mnist", {60000, 10000, 28, 28, 1, 10}},
                                                     {"fashion-mnist", {60000, 10000, 28, 28, 1, 10}},
                                                     {"cifar10", {50000, 10000, 32, 32, 3, 10}},
                                                     {"cifar100", {50000, 10000, 32, 32, 3, 100}}};
  const auto found = known.find(name);
  return found == known.end() ? nullptr : &found->second;
}

/// Grey images with labels in turn, or targets: as many as a batch needs.
Dataset stand_in(Dataset facts, int images) {
  for (ImageSplit* split : {&facts.train, &facts.test}) {
    ImageSplit grey;
    grey.pixels.assign(facts.image_bytes() * static_cast<std::size_t>(images), 128);
    for (int i = 0; i < images && facts.classes > 0; ++i) grey.labels.push_back(i % facts.classes);
    grey.target_width = facts.train.target_width;
    grey.auxiliary_width = facts.train.auxiliary_width;
    grey.targets.assign(static_cast<std::size_t>(images * grey.target_width), 0.1F);
    grey.auxiliary.assign(static_cast<std::size_t>(images * grey.auxiliary_width), 0.1F);
    *split = std::move(grey);
    split->pixels[0] = 255;
  }
  return facts;
}

}  // namespace

Estimator::Estimator(const std::string& data, const std::string& device, const std::string& precision, int threads)
    : device_(device), precision_(precision), threads_(threads) {
  augments_ = dataset_recipe(data).augments;
  const std::string name = data.substr(0, data.find(':'));
  if (const Facts* known = known_facts(name)) {
    facts_.name = name;
    facts_.height = known->height;
    facts_.width = known->width;
    facts_.channels = known->channels;
    facts_.classes = known->classes;
    train_ = known->train;
    test_ = known->test;
    return;
  }
  facts_ = load_dataset(data);
  train_ = facts_.train.count();
  test_ = facts_.test.count();
}

std::unique_ptr<TrialSteps> Estimator::make_trial(const RunOptions& options) const {
  return std::make_unique<TrialSteps>(options, stand_in(facts_, options.batch), most_steps + 2, true,
                                      [](const std::string&) {});
}

const Estimator::Step& Estimator::step_of(const std::string& net, const RunOptions& options) {
  const auto known = steps_.find(net);
  if (known != steps_.end()) return known->second;
  RunOptions o = options;
  o.command = "teach";
  o.net = net;
  o.device = device_;
  o.precision = precision_;
  o.regulation = "off";
  o.method = "kd";
  o.mix = "none";
  use_threads(threads_);
  const bool cpu = device_of(o.device) == Device::cpu;
  const int batch = o.batch;
  if (cpu) o.batch = std::min(batch, small_batch);
  auto trial = make_trial(o);
  if (o.batch < batch && 3 * trial->forward_macs() * batch < large_step_macs) {
    o.batch = batch;
    trial = make_trial(o);
  }
  // The first warms up, the second is recorded where steps are.
  trial->one_step();
  if (!cpu) trial->one_step();
  trial->wait();
  const auto begin = Clock::now();
  int steps = 0;
  do {
    trial->one_step();
    trial->wait();
    ++steps;
  } while (steps < most_steps && since(begin) < patience);
  return steps_[net] = {since(begin) / (steps * trial->batch()), trial->forward_macs()};
}

Estimate Estimator::of(const RunOptions& options, const std::string& teacher_net) {
  const Step own = step_of(options.net, options);
  const int samples = options.subset.empty() ? train_ : subset_count(options.subset, train_, facts_.classes);
  const bool transforms = options.command == "distill" && find_method(options.method).transforms;
  const double trained = options.epochs * samples * (transforms ? 2 : 1);
  const double evaluated = std::ceil(options.epochs / options.eval_every) * test_;
  // A forward pass is a third of a step.
  double seconds = own.seconds * (trained + evaluated / 3), macs = own.macs * 3 * trained;
  if (!teacher_net.empty()) {
    const Step teacher = step_of(teacher_net, options);
    const bool augmented = options.augment == "recipe" ? augments_ : options.augment != "none";
    const bool same = !augmented && options.mix == "none" && !transforms;
    const bool cached = options.cache_teacher == "on" || (options.cache_teacher == "auto" && same);
    const double taught = cached ? samples : trained;
    seconds += teacher.seconds / 3 * (taught + test_);
    macs += teacher.macs * taught;
    // While a module learns, both networks pass gradients back, to the images alone.
    const double learned = options.tst_phases.empty() ? 0 : options.tst_phases.size() * options.tst_length * samples;
    seconds += (own.seconds + teacher.seconds) * 2 / 3 * learned;
    macs += (own.macs + teacher.macs) * 2 * learned;
  }
  return {seconds, 2 * macs};
}

Estimate estimate_of(const Recipe& recipe, const Job& job, const ReproduceOptions& options, Estimator& estimator) {
  return estimator.of(options_of(recipe, job, options), job.arm->taught_by.empty() ? "" : job.pair->teacher);
}

std::string in_words(const Estimate& estimate) {
  const double minutes = estimate.seconds / 60, hours = minutes / 60;
  char words[64];
  const auto print = [&](const char* unit, double time) {
    std::snprintf(words, sizeof words, estimate.flops < 1e14 ? "%.2g PFLOP, here %.0f %s" : "%.1f PFLOP, here %.0f %s",
                  estimate.flops / 1e15, std::ceil(time), unit);
  };
  hours > 48      ? print("days", hours / 24)
  : minutes > 90  ? print("hours", hours)
  : minutes > 1.5 ? print("minutes", minutes)
                  : print("seconds", estimate.seconds);
  return std::string(words) + " (measured)";
}

}  // namespace retort
