// The last kernel of a step: everything is committed together or nothing is.
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

constexpr int data_set = 50;

struct Outcome {
  Values loss, correct, participates, samples, buffers, pending;
};

Outcome outcome_of(int rows, std::size_t buffers) {
  Outcome o{normal_values(rows, 1),      random_integers(rows, 2, 2),
            random_integers(rows, 3, 2), random_integers(rows, 4, data_set),
            random_values(buffers, 5),   random_values(buffers, 6)};
  if (rows > 1) o.samples[1] = o.samples[0];  // a sample may be there twice
  return o;
}

struct Committed {
  StepState state;
  Values significance, entered, buffers;
};

StepState running_state(StepVerdict verdict) {
  StepState s;
  s.verdict = static_cast<std::int32_t>(verdict);
  s.step = 41;
  s.loss_sum = 2.5;
  s.rows = 100;
  s.correct = 10;
  s.participants = 20;
  s.steps_applied = 5;
  s.steps_without_participants = 1;
  s.skipped = 3;
  s.skipped_in_a_row = 2;
  return s;
}

const Values& counts_before() {
  static const Values counts = random_integers(data_set, 7, 100);
  return counts;
}

Committed run_commit(const Backend& backend, const Outcome& o, StepVerdict verdict, bool tables = true) {
  const int rows = static_cast<int>(o.loss.size());
  const DeviceStruct<StepState> state(backend, running_state(verdict));
  const Buffer loss = input(backend, DType::f32, o.loss);
  const Buffer correct = input(backend, DType::i32, o.correct);
  const Buffer participates = input(backend, DType::i32, o.participates);
  const Buffer samples = input(backend, DType::i32, o.samples);
  const Buffer significance = inout(backend, DType::i32, counts_before());
  const Buffer entered = inout(backend, DType::u8, Values(data_set, 0.0));
  const Buffer buffers = inout(backend, DType::f32, o.buffers);
  const Buffer pending = input(backend, DType::f32, o.pending);
  StepOutcome outcome;
  outcome.rows = rows;
  outcome.loss = loss.f32();
  outcome.correct = correct.i32();
  outcome.participates = participates.i32();
  outcome.samples = samples.i32();
  outcome.significance = tables ? significance.i32() : nullptr;
  outcome.entered = tables ? entered.as<std::uint8_t>() : nullptr;
  outcome.buffers = buffers.f32();
  outcome.pending_buffers = pending.f32();
  outcome.buffer_count = static_cast<std::int64_t>(o.buffers.size());
  backend.commit_step({}, outcome, state.data());
  return {state.get(), significance.values(), entered.values(), buffers.values()};
}

double total(const Values& values) {
  return dot(values, Values(values.size(), 1.0));
}

BACKEND_TEST("an applied step commits buffers, significance, totals and the step count") {
  NEEDS(commit_step);
  for (const int rows : {1, 2, 7, 128, 1000}) {
    for (const std::size_t buffers : {0, 1, 37, 5000}) {
      CAPTURE(rows);
      const Outcome o = outcome_of(rows, buffers);
      const Committed c = run_commit(backend, o, StepVerdict::applied);
      check_equal("buffers", c.buffers, o.pending);
      Values significance = counts_before();
      Values entered(data_set, 0.0);
      for (int i = 0; i < rows; ++i) {
        significance[static_cast<int>(o.samples[i])] += o.participates[i];
        if (o.participates[i] > 0) entered[static_cast<int>(o.samples[i])] = 1;
      }
      check_equal("significance", c.significance, significance);
      check_equal("entered", c.entered, entered);
      CHECK(std::abs(c.state.loss_sum - 2.5 - total(o.loss)) < 1e-9);
      CHECK(c.state.rows == 100 + rows);
      CHECK(c.state.correct == 10 + total(o.correct));
      CHECK(c.state.participants == 20 + total(o.participates));
      CHECK(c.state.step == 42);
      CHECK(c.state.steps_applied == 6);
      CHECK(c.state.steps_without_participants == (total(o.participates) > 0 ? 1 : 2));
      CHECK(c.state.skipped == 3);
      CHECK(c.state.skipped_in_a_row == 0);
    }
  }
}

BACKEND_TEST("a commit counts the rows without a label") {
  NEEDS(commit_step);
  const DeviceStruct<StepState> state(backend, running_state(StepVerdict::applied));
  const Buffer labels = input(backend, DType::i32, {3, no_label, 0, no_label, no_label});
  const Buffer participates = input(backend, DType::i32, {1, 1, 0, 0, 1});
  const Buffer samples = input(backend, DType::i32, {0, 1, 2, 3, 4});
  StepOutcome outcome;
  outcome.rows = 5;
  outcome.participates = participates.i32();
  outcome.samples = samples.i32();
  outcome.labels = labels.i32();
  backend.commit_step({}, outcome, state.data());
  CHECK(state.get().mixtures == 3);
  backend.commit_step({}, outcome, state.data());
  CHECK(state.get().mixtures == 6);
}

BACKEND_TEST("a step that was not applied raises its two counters and changes nothing else") {
  NEEDS(commit_step);
  for (const StepVerdict verdict : {StepVerdict::loss_not_finite, StepVerdict::gradient_not_finite}) {
    Outcome o = outcome_of(64, 100);
    o.loss[3] = NAN;
    const Committed c = run_commit(backend, o, verdict);
    check_equal("buffers", c.buffers, o.buffers);
    check_equal("significance", c.significance, counts_before());
    check_equal("entered", c.entered, Values(data_set, 0.0));
    const StepState before = running_state(verdict);
    CHECK(c.state.skipped == before.skipped + 1);
    CHECK(c.state.skipped_in_a_row == before.skipped_in_a_row + 1);
    CHECK(c.state.loss_sum == before.loss_sum);
    CHECK(c.state.rows == before.rows);
    CHECK(c.state.correct == before.correct);
    CHECK(c.state.participants == before.participants);
    CHECK(c.state.step == before.step);
    CHECK(c.state.steps_applied == before.steps_applied);
    CHECK(c.state.steps_without_participants == before.steps_without_participants);
  }
}

BACKEND_TEST("the log says which step was skipped, why, and where the gradient is not finite") {
  NEEDS(commit_step);
  StepState skipped = running_state(StepVerdict::gradient_not_finite);
  skipped.batch = 17;
  const DeviceStruct<StepState> state(backend, skipped);
  const DeviceStruct<SkipLog> log(backend, {});
  // In the first place, the last, beyond a block's threads, and nowhere.
  for (const std::int64_t culprit : {0, 999, 300, -1}) {
    Values gradient = random_values(1000, 3);
    if (culprit >= 0) gradient[static_cast<std::size_t>(culprit)] = culprit == 300 ? INFINITY : NAN;
    gradient[998] = culprit >= 0 && culprit < 998 ? NAN : gradient[998];
    const Buffer values = input(backend, DType::f32, gradient);
    StepOutcome outcome;
    outcome.gradient = values.f32();
    outcome.gradient_count = 1000;
    outcome.log = log.data();
    const std::int64_t before = log.get().count;
    backend.commit_step({}, outcome, state.data());
    const SkipLog now = log.get();
    CHECK(now.count == before + 1);
    const SkippedStep& entry = now.steps[before];
    CHECK(entry.batch == 17);
    CHECK(entry.verdict == static_cast<std::int32_t>(StepVerdict::gradient_not_finite));
    CHECK(entry.in_a_row == state.get().skipped_in_a_row);
    CHECK(entry.culprit == culprit);
  }
  // It goes round.
  for (int i = 4; i < SkipLog::capacity + 2; ++i) {
    StepOutcome outcome;
    outcome.log = log.data();
    backend.commit_step({}, outcome, state.data());
  }
  CHECK(log.get().count == SkipLog::capacity + 2);
  CHECK(log.get().steps[1].in_a_row == state.get().skipped_in_a_row);
  CHECK(log.get().steps[2].culprit == 300);
}

BACKEND_TEST("what a commit remembers of a sample's participation is what is recalled, without any loss") {
  NEEDS(recall_participation);
  const Values samples{3, 0, 9, 4}, masks{1, 0, 0, 1};
  const Buffer who = input(backend, DType::i32, samples), participates = input(backend, DType::i32, masks);
  const Buffer judged = inout(backend, DType::u8, Values(data_set, 1.0));
  const DeviceStruct<StepState> state(backend, {});
  StepOutcome outcome;
  outcome.rows = 4;
  outcome.participates = participates.i32();
  outcome.samples = who.i32();
  outcome.judged = judged.as<std::uint8_t>();
  backend.commit_step({}, outcome, state.data());
  CHECK(state.get().participants == 2);
  CHECK(state.get().loss_sum == 0);
  CHECK(state.get().correct == 0);

  const DeviceStruct<StepState> skipped(backend, running_state(StepVerdict::loss_not_finite));
  const Buffer later = input(backend, DType::i32, {4, 7, 0, 9, 3}), recalled = output(backend, DType::i32, 5);
  backend.recall_participation({}, 5, later.i32(), judged.as<std::uint8_t>(), recalled.i32(), skipped.data());
  CHECK(recalled.values() == Values{1, 1, 0, 0, 1});
  CHECK(skipped.get().verdict == static_cast<std::int32_t>(StepVerdict::applied));
}

BACKEND_TEST("a step in which no row took part is applied and counted as such") {
  NEEDS(commit_step);
  Outcome o = outcome_of(32, 8);
  o.participates.assign(32, 0);
  const Committed c = run_commit(backend, o, StepVerdict::applied);
  CHECK(c.state.steps_without_participants == 2);
  CHECK(c.state.steps_applied == 6);
  check_equal("significance", c.significance, counts_before());
  check_equal("entered", c.entered, Values(data_set, 0.0));
}

BACKEND_TEST("a step without significance tables leaves them alone and still commits the rest") {
  NEEDS(commit_step);
  const Outcome o = outcome_of(32, 8);
  const Committed c = run_commit(backend, o, StepVerdict::applied, false);
  check_equal("significance", c.significance, counts_before());
  check_equal("buffers", c.buffers, o.pending);
  CHECK(c.state.rows == 132);
}

}  // namespace
}  // namespace retort::test
