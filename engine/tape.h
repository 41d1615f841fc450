// The tape: a linear list of hand-written backward steps, walked from its end.
//
// A Variable is a value that gradients may flow to. Each consumer of an activation delivers its gradient as a *part*;
// the op that produced the activation takes the parts, fusing the sum where its kernel can. Nothing is accumulated in
// place unless nobody else holds the buffer. A node's closure holds what its backward needs and nothing else; it is
// destroyed as soon as it has run, which returns the memory to the arena.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/context.h"

namespace retort {

struct Variable {
  std::string name;
  Tensor value;
  bool requires_grad = false;

  // Parameters: gradients go to a fixed place, written once or added to.
  Tensor gradient;
  bool gradient_written = false;
  Tensor compute;  ///< the bf16 working copy that convolutions read; empty in the other precisions

  // Activations: gradient parts delivered so far in this backward pass.
  std::vector<Tensor> parts;

  const Shape& shape() const { return value.shape(); }
  bool is_parameter() const { return static_cast<bool>(gradient); }
};

using Var = std::shared_ptr<Variable>;

struct TracedOp;  // engine/trace.h

class Tape {
 public:
  enum class Recording { off, on };

  explicit Tape(Context& context, Recording recording = Recording::on)
      : context_(context), recording_(recording == Recording::on) {}

  Context& context() { return context_; }
  bool recording() const { return recording_; }
  /// Whether an op on these inputs has to record a backward step.
  template <typename... Vars>
  bool records(const Vars&... inputs) const {
    return recording_ && ((inputs && inputs->requires_grad) || ...);
  }

  /// From now on every op appends its call to `trace`; null ends it.
  void set_trace(std::vector<TracedOp>* trace) { trace_ = trace; }
  std::vector<TracedOp>* trace() const { return trace_; }

  /// A leaf or the result of an op.
  Var variable(Tensor value, bool requires_grad, const char* name = "");

  void record(const char* op, std::function<void()> backward) {
    nodes_.push_back({op, std::move(backward), context_.layer()});
  }

  /// Adds a part to the gradient of an activation or leaf: from an op's backward, a loss, or a feature tap.
  /// Ignored when the variable does not require a gradient.
  void deliver(const Var& variable, Tensor part);
  /// The parts delivered so far, summed down to at most `limit`; empty when nobody delivered. Clears them.
  std::vector<Tensor> take_parts(Variable& variable, std::size_t limit = 1);
  /// take_parts(variable, 1), or an empty tensor.
  Tensor take_gradient(Variable& variable);
  /// Calls write(destination), which overwrites; adds to what an earlier use of the parameter left there.
  void write_parameter_gradient(Variable& parameter, const std::function<void(float*)>& write);
  /// The same in another type, bf16. It becomes f32 at the end of the backward pass, where one kernel does that for all.
  void write_parameter_gradient(Variable& parameter, DType type, const std::function<void(void*)>& write);

  /// Walks the tape backwards and empties it. The losses have delivered their gradients before. Gradients of parameters
  /// are where they belong then.
  void backward();
  std::size_t size() const { return nodes_.size(); }

 private:
  struct Node {
    const char* op;
    std::function<void()> backward;
    std::string layer;  ///< of the forward pass, for profiles
  };

  /// A parameter's gradient that was written in bf16, and where it belongs.
  struct Narrow {
    Tensor from, to;
  };
  void widen_gradients();

  Context& context_;
  bool recording_;
  std::vector<TracedOp>* trace_ = nullptr;
  std::vector<Node> nodes_;
  std::vector<Narrow> narrow_;
};

}  // namespace retort
