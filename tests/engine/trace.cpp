// A traced forward pass is the list of the calls made, with their operands.
#include "engine/trace.h"

#include <doctest/doctest.h>

namespace retort::test {

TEST_CASE("trace: every op reports itself, in order, while somebody listens") {
  using Kind = TracedOp::Kind;
  Context context;
  context.begin_measuring();
  Tape tape(context, Tape::Recording::off);
  const auto activation = [&](const Shape& shape) {
    return tape.variable(context.make(shape, DType::f32, "test"), false);
  };
  const Var x = activation({2, 4, 4, 3}), weight = activation({5, 3, 3, 3}), gamma = activation({5});
  weight->name = "conv.weight";
  gamma->name = "bn.weight";
  BatchNormState state;
  state.gamma = state.beta = gamma;
  state.running_mean = state.running_var = context.make({5}, DType::f32, "test");

  relu(tape, x);  // before the trace
  std::vector<TracedOp> ops;
  tape.set_trace(&ops);
  const Var conv = conv2d(tape, x, weight, nullptr, {2, 1});
  const Var norm = batch_norm(tape, conv, state, true, conv, ForwardMode::evaluation());
  const SumAndNormed both = add_batch_norm(tape, conv, norm, state, false, ForwardMode::evaluation());
  const Var sum = add(tape, both.sum, both.y);
  const Var most = max_pool2d(tape, sum, 2, 1), mean = avg_pool2d(tape, sum, 2, 2);
  const Var pooled = global_avg_pool(tape, relu(tape, most));
  const Var flat = flatten(tape, mean);
  const Var head = activation({7, 5});
  head->name = "fc.weight";
  const Var logits = linear(tape, flat, head, nullptr);
  const FoldedConvolution folded{"conv", context.make({5, 3, 3, 3}, DType::f32, "test"),
                                 context.make({5}, DType::f32, "test")};
  const Var one = folded_conv2d(tape, x, folded, true, conv, {2, 1});
  tape.set_trace(nullptr);
  relu(tape, x);  // and behind it

  std::vector<Kind> kinds;
  for (const TracedOp& op : ops) kinds.push_back(op.kind);
  CHECK(kinds == std::vector<Kind>{Kind::conv2d, Kind::batch_norm, Kind::batch_norm, Kind::add, Kind::max_pool2d,
                                   Kind::avg_pool2d, Kind::relu, Kind::global_avg_pool, Kind::flatten, Kind::linear,
                                   Kind::conv2d});
  REQUIRE(ops.size() == 11);
  CHECK((ops[0].x == x && ops[0].y == conv && ops[0].weight == weight && !ops[0].bias));
  CHECK((ops[0].stride == 2 && ops[0].padding == 1 && !ops[0].relu));
  CHECK((ops[1].x == conv && ops[1].y == norm && ops[1].residual == conv && ops[1].relu && ops[1].norm.gamma == gamma));
  CHECK((ops[2].x == conv && ops[2].x2 == norm && ops[2].sum == both.sum && ops[2].y == both.y && !ops[2].relu));
  CHECK((ops[3].x == both.sum && ops[3].x2 == both.y && ops[3].y == sum));
  CHECK((ops[4].kernel == 2 && ops[4].stride == 1 && ops[4].y == most));
  CHECK((ops[5].kernel == 2 && ops[5].stride == 2 && ops[5].y == mean));
  CHECK((ops[7].y == pooled && ops[8].y == flat));
  CHECK((ops[9].x == flat && ops[9].weight == head && ops[9].y == logits));
  CHECK((ops[10].folded == &folded && ops[10].residual == conv && ops[10].relu && ops[10].y == one));
}

}  // namespace retort::test
