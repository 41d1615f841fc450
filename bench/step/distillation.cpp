#include <algorithm>

#include "bench/step/bench_step.h"
#include "distill/step.h"
#include "kernels/philox.h"

namespace retort::bench {
namespace {

/// Random pixels: an image's content takes no time.
Dataset random_images(const StepArguments& a) {
  const ImageFormat input = a.input();
  Dataset data;
  data.name = "bench";
  data.height = input.height;
  data.width = input.width;
  data.channels = input.channels;
  data.classes = a.classes();
  data.mean = {0.5F, 0.5F, 0.5F};
  data.std = {0.25F, 0.25F, 0.25F};
  const int count = std::max(2048, 4 * a.batch);
  data.train.pixels.resize(static_cast<std::size_t>(count) * data.image_bytes());
  for (std::size_t i = 0; i < data.train.pixels.size(); i += 4) {
    const std::uint32_t bits = philox(1, Purpose::synthetic, i, 0, 0).v[0];
    for (std::size_t j = i; j < std::min(i + 4, data.train.pixels.size()); ++j) {
      data.train.pixels[j] = static_cast<std::uint8_t>(bits >> (8 * (j - i)));
    }
  }
  for (int i = 0; i < count; ++i) data.train.labels.push_back(i % data.classes);
  return data;
}

/// Long enough that beginning again takes no time worth counting.
constexpr int epoch_steps = 4096;

class DistillationStep : public BenchStep {
 public:
  DistillationStep(Context& context, const StepArguments& a)
      : context_(context),
        data_(random_images(a)),
        task_(make_task(data_)),
        train_(context, data_, data_.train),
        student_(make_network(a.net, a.input(), a.classes())),
        teacher_(context, make_teacher(a), a.fold_teacher == "on"),
        state_(context) {
    student_->parameters().materialise(context, 1);
    plan_.network = student_.get();
    plan_.teacher = &teacher_;
    plan_.task = task_.get();
    plan_.data = &train_;
    plan_.augmentation.crop_padding = 4;
    plan_.augmentation.flip = true;
    plan_.scoring = ForwardMode::evaluation();
    plan_.batch = a.batch;
    plan_.record = a.graph != "off";
    plan_.teacher_beside = a.teacher_beside != "off";
    std::vector<std::int32_t> order(static_cast<std::size_t>(epoch_steps) * static_cast<std::size_t>(a.batch));
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = static_cast<std::int32_t>(i % static_cast<std::size_t>(data_.train.count()));
    }
    runner_ = std::make_unique<StepRunner>(context, plan_, static_cast<int>(order.size()));
    // CIFAR-100's recipe. A smaller rate, for the labels are random: the loss has to stay finite, and a rate costs
    // nothing.
    runner_->begin_epoch(order, std::vector<StepRates>(epoch_steps, {0.01F, 0.9F}));
    state_.host.weight_decay = 5e-4F;
    state_.push();
  }

  void run() override {
    if (done_ == epoch_steps) {  // from the beginning
      state_.pull();
      state_.host.batch = done_ = 0;
      state_.push();
    }
    runner_->train(plan_.batch, state_);
    if (!context_.measuring()) ++done_;
  }

  bool applied() override {
    state_.pull();
    return state_.host.verdict == static_cast<std::int32_t>(StepVerdict::applied);
  }

  std::size_t recorded_launches() const override { return runner_->recorded_launches(plan_.batch); }
  const Network& student() const override { return *student_; }
  const Network* teacher() const override { return teacher_network_; }

 private:
  std::unique_ptr<Network> make_teacher(const StepArguments& a) {
    auto network = make_network(a.teacher, a.input(), a.classes());
    teacher_network_ = network.get();
    return network;
  }

  Context& context_;
  Dataset data_;
  std::unique_ptr<Task> task_;
  DeviceDataset train_;
  std::unique_ptr<Network> student_;
  const Network* teacher_network_ = nullptr;
  Teacher teacher_;
  DeviceStep state_;
  StepPlan plan_;
  std::unique_ptr<StepRunner> runner_;
  int done_ = 0;
};

}  // namespace

std::unique_ptr<BenchStep> make_distillation_step(Context& context, const StepArguments& arguments) {
  return std::make_unique<DistillationStep>(context, arguments);
}

}  // namespace retort::bench
