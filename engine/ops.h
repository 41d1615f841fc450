// The differentiable ops. Each checks its arguments (messages print the shapes), launches the kernel of the same name
// on the context's device, and records its backward step when any input requires a gradient.
// Activations are (N, H, W, C) or (N, features).
#pragma once

#include "engine/tape.h"
#include "kernels/batch_norm.h"

namespace retort {

struct Conv2dOptions {
  int stride = 1;
  int padding = 0;
};

/// weight (K, R, S, C), bias (K) or null. Result (N, P, Q, K).
Var conv2d(Tape& tape, const Var& x, const Var& weight, const Var& bias, Conv2dOptions options);

/// A frozen convolution with the batch norm behind it folded into its parameters.
struct FoldedConvolution {
  std::string layer;  ///< whose it is, for profiles
  Tensor weight;      // (K, R, S, C) in the dtype of activations
  Tensor bias;        // (K) likewise
};

/// relu?(conv2d(x) + bias + residual), (N, P, Q, K). residual null: none. It has no backward step: Error(usage) where
/// one would have to be recorded.
Var folded_conv2d(Tape& tape, const Var& x, const FoldedConvolution& folded, bool relu, const Var& residual,
                  Conv2dOptions options);

/// x (N, I) f32, weight (O, I), bias (O) or null. Result (N, O) f32.
Var linear(Tape& tape, const Var& x, const Var& weight, const Var& bias);

/// The parameters and statistics of one batch-norm layer.
struct BatchNormState {
  Var gamma, beta;             // (C)
  Tensor running_mean;         // (C) in force: evaluation reads them
  Tensor running_var;          // (C)
  Tensor pending_mean;         // (C) training reads and writes these; commit_step makes them the ones in force
  Tensor pending_var;          // (C)
  Tensor pending_batches;      // (1) number of batches tracked
  float epsilon = 1e-5F;
  float momentum = 0.1F;
};

/// How batch norm and dropout behave, whichever way gradients flow.
struct ForwardMode {
  bool batch_statistics = true;    ///< batch norm: statistics of this batch; false: the running ones
  bool update_statistics = true;   ///< with batch_statistics: update the running ones
  bool dropout = true;
  static ForwardMode training() { return {}; }
  static ForwardMode evaluation() { return {false, false, false}; }
};

/// y = relu?(batch_norm(x) + residual). residual null: none.
Var batch_norm(Tape& tape, const Var& x, const BatchNormState& state, bool relu, const Var& residual, ForwardMode mode);

/// The pre-activation form: sum = a + b, y = relu?(batch_norm(sum)).
struct SumAndNormed {
  Var sum, y;
};
SumAndNormed add_batch_norm(Tape& tape, const Var& a, const Var& b, const BatchNormState& state, bool relu,
                            ForwardMode mode);

Var relu(Tape& tape, const Var& x);
Var add(Tape& tape, const Var& a, const Var& b);
Var max_pool2d(Tape& tape, const Var& x, int kernel, int stride);
Var avg_pool2d(Tape& tape, const Var& x, int kernel, int stride);
/// (N, H, W, C) to (N, C) f32.
Var global_avg_pool(Tape& tape, const Var& x);
/// (N, H, W, C) to (N, H W C) f32; the order is that of memory (h, w, c).
Var flatten(Tape& tape, const Var& x);

struct StepState;
/// Dropout with probability p; the mask is a function of (seed, sample, epoch, layer). samples (N) i32.
Var dropout(Tape& tape, const Var& x, float p, std::uint32_t layer, const Tensor& samples, const StepState* state,
            ForwardMode mode);

}  // namespace retort
