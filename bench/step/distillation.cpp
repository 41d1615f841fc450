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

class DistillationStep : public BenchStep {
 public:
  DistillationStep(Context& context, const StepArguments& a)
      : data_(random_images(a)),
        task_(make_task(data_)),
        train_(context, data_, data_.train),
        student_(make_network(a.net, a.input(), a.classes())),
        teacher_(context, make_teacher(a)),
        state_(context),
        rows_(static_cast<std::size_t>(a.batch)) {
    student_->parameters().materialise(context, 1);
    plan_.network = student_.get();
    plan_.teacher = &teacher_;
    plan_.task = task_.get();
    plan_.data = &train_;
    plan_.augmentation = {4, true};
    plan_.scoring = ForwardMode::evaluation();
    plan_.batch = a.batch;
    runner_ = std::make_unique<StepRunner>(context, plan_, data_.train.count());
    // CIFAR-100's recipe. A smaller rate, for the labels are random: the loss has to stay finite, and a rate costs
    // nothing.
    state_.host.learning_rate = 0.01F;
    state_.host.weight_decay = 5e-4F;
    state_.push_all();
  }

  void run() override {
    for (std::int32_t& row : rows_) row = next_++ % data_.train.count();
    runner_->train(rows_.data(), plan_.batch, state_);
  }

  bool applied() override {
    state_.pull();
    return state_.host.verdict == static_cast<std::int32_t>(StepVerdict::applied);
  }

  const Network& student() const override { return *student_; }
  const Network* teacher() const override { return teacher_network_; }

 private:
  std::unique_ptr<Network> make_teacher(const StepArguments& a) {
    auto network = make_network(a.teacher, a.input(), a.classes());
    teacher_network_ = network.get();
    return network;
  }

  Dataset data_;
  std::unique_ptr<Task> task_;
  DeviceDataset train_;
  std::unique_ptr<Network> student_;
  const Network* teacher_network_ = nullptr;
  Teacher teacher_;
  DeviceStep state_;
  StepPlan plan_;
  std::unique_ptr<StepRunner> runner_;
  std::vector<std::int32_t> rows_;
  std::int32_t next_ = 0;
};

}  // namespace

std::unique_ptr<BenchStep> make_distillation_step(Context& context, const StepArguments& arguments) {
  return std::make_unique<DistillationStep>(context, arguments);
}

}  // namespace retort::bench
