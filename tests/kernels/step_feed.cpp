// What a step begins with: its rows and rates, from the tables of the epoch.
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

constexpr int batch = 7;

Values rates_of(int batches) {
  Values rates;
  for (int i = 0; i < batches; ++i) rates.insert(rates.end(), {0.5 - i / 64.0, 0.75 + i / 128.0});
  return rates;
}

BACKEND_TEST("steps take their batches and rates in turn, the last one what is left") {
  NEEDS(begin_step);
  for (const int rows : {1, 7, 20, 300}) {
    const int batches = (rows + batch - 1) / batch;
    const Values numbers = random_integers(rows, 1, 1000);
    const Buffer order = input(backend, DType::i32, numbers);
    const Buffer rates = input(backend, DType::f32, rates_of(batches));
    const StepFeed feed{order.i32(), static_cast<const StepRates*>(rates.data()), batch};
    const DeviceStruct<StepState> state(backend, {});
    for (int i = 0; i < batches; ++i) {
      const int count = std::min(batch, rows - i * batch);
      const Buffer samples = output(backend, DType::i32, count);
      backend.begin_step({}, feed, count, samples.i32(), state.data());
      CHECK(samples.values() == Values(numbers.begin() + i * batch, numbers.begin() + i * batch + count));
      const StepState now = state.get();
      CHECK(now.learning_rate == 0.5F - static_cast<float>(i) / 64);
      CHECK(now.momentum == 0.75F + static_cast<float>(i) / 128);
      CHECK(now.divisor == static_cast<float>(count));
      CHECK(now.batch == i + 1);
      CHECK(now.batches_waiting == i + 1);
    }
  }
}

BACKEND_TEST("a batch of more rows than a block has threads is taken whole") {
  NEEDS(begin_step);
  const Values numbers = random_integers(2000, 2, 50000);
  const Buffer order = input(backend, DType::i32, numbers);
  const Buffer samples = output(backend, DType::i32, 900);
  StepState second;
  second.batch = 1;
  const DeviceStruct<StepState> state(backend, second);
  backend.begin_step({}, {order.i32(), nullptr, 1000}, 900, samples.i32(), state.data());
  CHECK(samples.values() == Values(numbers.begin() + 1000, numbers.begin() + 1900));
}

BACKEND_TEST("without rates a state keeps its own") {
  NEEDS(begin_step);
  StepState own;
  own.learning_rate = 0.25F;
  own.momentum = 0.5F;
  const DeviceStruct<StepState> state(backend, own);
  const Buffer order = input(backend, DType::i32, {4, 2});
  const Buffer samples = output(backend, DType::i32, 2);
  backend.begin_step({}, {order.i32(), nullptr, 2}, 2, samples.i32(), state.data());
  CHECK(state.get().learning_rate == 0.25F);
  CHECK(state.get().momentum == 0.5F);
}

BACKEND_TEST("a queued step takes over from scoring, and decays for all the batches it stands for") {
  NEEDS(begin_queued_step);
  StepState scoring;
  scoring.learning_rate = 0.125F;
  scoring.momentum = 0.875F;
  scoring.weight_decay = 0.0625F;
  scoring.batches_waiting = 3;
  scoring.batch = 11;
  StepState training;
  training.step = 5;
  training.rows = 40;
  const DeviceStruct<StepState> from(backend, scoring), to(backend, training);
  backend.begin_queued_step({}, 64, from.data(), to.data());
  CHECK(from.get().batches_waiting == 0);
  CHECK(from.get().weight_decay == 0.0625F);
  const StepState now = to.get();
  CHECK(now.learning_rate == 0.125F);
  CHECK(now.momentum == 0.875F);
  CHECK(now.weight_decay == 0.1875F);
  CHECK(now.divisor == 64);
  CHECK(now.batch == 11);
  CHECK(now.step == 5);
  CHECK(now.rows == 40);
}

}  // namespace
}  // namespace retort::test
