// Layers: parameters registered under their published keys, and the op that reads them. Small values, copied freely;
// the store must outlive them.
#pragma once

#include <string>

#include "engine/ops.h"
#include "engine/parameters.h"

namespace retort {

/// How the published definitions start their weights.
enum class WeightInit {
  torch_default,   ///< U(-1/sqrt(fan in), 1/sqrt(fan in)), which is kaiming_uniform(a = sqrt 5); the bias likewise
  kaiming_fan_out  ///< N(0, 2 / (k k out)); the bias 0
};

struct Conv2dSpec {
  int in = 0, out = 0, kernel = 3;
  int stride = 1, padding = 0;
  bool bias = false;
  WeightInit init = WeightInit::kaiming_fan_out;
};

/// `.weight` (O, I, H, W) and, if wanted, `.bias`.
struct Conv2d {
  Conv2d(ParameterStore& store, const std::string& name, const Conv2dSpec& spec);
  Var operator()(Tape& tape, const Var& x) const { return conv2d(tape, x, weight, bias, options); }

  Var weight, bias;
  Conv2dOptions options;
};

/// `.weight`, `.bias`, `.running_mean`, `.running_var`, `.num_batches_tracked`.
struct BatchNorm2d {
  BatchNorm2d(ParameterStore& store, const std::string& name, int channels);
  /// What the ops take; looked up at every pass because the tensors exist only after materialise().
  BatchNormState state() const;

  Var operator()(Tape& tape, const Var& x, ForwardMode mode) const { return apply(tape, x, false, nullptr, mode); }
  Var with_relu(Tape& tape, const Var& x, ForwardMode mode) const { return apply(tape, x, true, nullptr, mode); }
  /// relu(bn(x) + residual)
  Var with_residual_and_relu(Tape& tape, const Var& x, const Var& residual, ForwardMode mode) const {
    return apply(tape, x, true, residual, mode);
  }

 private:
  Var apply(Tape& tape, const Var& x, bool relu, const Var& residual, ForwardMode mode) const {
    return batch_norm(tape, x, state(), relu, residual, mode);
  }

  const ParameterStore* store_;
  Var gamma_, beta_;
  std::size_t mean_, var_, batches_;
};

enum class LinearInit {
  torch_default,  ///< weight and bias U(-1/sqrt(in), 1/sqrt(in))
  zero_bias,      ///< the weight as above, the bias 0
  small_normal    ///< weight N(0, 0.01^2), bias 0
};

/// The image that was flattened in front of a linear layer; files hold such weights in (C, H, W) order.
struct FlattenedImage {
  int height = 1, width = 1;
};

/// `.weight` (O, I) and `.bias`.
struct Linear {
  Linear(ParameterStore& store, const std::string& name, int in, int out, LinearInit init = LinearInit::torch_default,
         FlattenedImage image = {});
  Var operator()(Tape& tape, const Var& x) const { return linear(tape, x, weight, bias); }

  Var weight, bias;
};

/// A network's last layer, of its own features and of such that come beside the image (a head pose): one linear layer of
/// both, in two parts, `.weight` (O, I) and `.bias`, and `.auxiliary` (O, A) where there are any.
struct JoinedLinear {
  JoinedLinear(ParameterStore& store, const std::string& name, int in, int auxiliary, int out,
               LinearInit init = LinearInit::torch_default);
  /// x (N, I), auxiliary (N, A) or null.
  Var operator()(Tape& tape, const Var& x, const Var& auxiliary) const;

  Linear own;
  Var auxiliary_weight;  ///< null: there are none
};

}  // namespace retort
