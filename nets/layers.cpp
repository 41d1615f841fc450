#include "nets/layers.h"

#include <cmath>

namespace retort {
namespace {

float inverse_root(int fan_in) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(fan_in)));
}

}  // namespace

Conv2d::Conv2d(ParameterStore& store, const std::string& name, const Conv2dSpec& spec)
    : options{spec.stride, spec.padding} {
  const int area = spec.kernel * spec.kernel;
  const bool fan_out = spec.init == WeightInit::kaiming_fan_out;
  ParameterSpec parameter;
  parameter.name = name + ".weight";
  parameter.logical = {spec.out, spec.in, spec.kernel, spec.kernel};
  parameter.layout = Layout::conv;
  parameter.initializer = fan_out ? Initializer::normal : Initializer::uniform;
  parameter.scale = fan_out ? std::sqrt(2.0F / static_cast<float>(area * spec.out)) : inverse_root(area * spec.in);
  weight = store.parameter(parameter);
  if (!spec.bias) return;
  ParameterSpec offset;
  offset.name = name + ".bias";
  offset.logical = {spec.out};
  offset.initializer = fan_out ? Initializer::zeros : Initializer::uniform;
  offset.scale = parameter.scale;
  bias = store.parameter(offset);
}

BatchNorm2d::BatchNorm2d(ParameterStore& store, const std::string& name, int channels) : store_(&store) {
  ParameterSpec parameter;
  parameter.name = name + ".weight";
  parameter.logical = {channels};
  parameter.initializer = Initializer::ones;
  gamma_ = store.parameter(parameter);
  parameter.name = name + ".bias";
  parameter.initializer = Initializer::zeros;
  beta_ = store.parameter(parameter);
  mean_ = store.buffer({name + ".running_mean", {channels}, 0, false});
  var_ = store.buffer({name + ".running_var", {channels}, 1, false});
  batches_ = store.buffer({name + ".num_batches_tracked", {}, 0, true});
}

BatchNormState BatchNorm2d::state() const {
  BatchNormState state;
  state.gamma = gamma_;
  state.beta = beta_;
  state.running_mean = store_->buffer_in_force(mean_);
  state.running_var = store_->buffer_in_force(var_);
  state.pending_mean = store_->buffer_pending(mean_);
  state.pending_var = store_->buffer_pending(var_);
  state.pending_batches = store_->buffer_pending(batches_);
  return state;
}

Linear::Linear(ParameterStore& store, const std::string& name, int in, int out, LinearInit init, FlattenedImage image) {
  ParameterSpec parameter;
  parameter.name = name + ".weight";
  parameter.logical = {out, in};
  if (image.height * image.width > 1) {
    parameter.layout = Layout::flatten_chw;
    parameter.image_height = image.height;
    parameter.image_width = image.width;
  }
  const bool small = init == LinearInit::small_normal;
  parameter.initializer = small ? Initializer::normal : Initializer::uniform;
  parameter.scale = small ? 0.01F : inverse_root(in);
  weight = store.parameter(parameter);
  ParameterSpec offset;
  offset.name = name + ".bias";
  offset.logical = {out};
  offset.initializer = init == LinearInit::torch_default ? Initializer::uniform : Initializer::zeros;
  offset.scale = parameter.scale;
  bias = store.parameter(offset);
}

JoinedLinear::JoinedLinear(ParameterStore& store, const std::string& name, int in, int auxiliary, int out,
                           LinearInit init)
    : own(store, name, in, out, init) {
  if (auxiliary == 0) return;
  ParameterSpec parameter;
  parameter.name = name + ".auxiliary";
  parameter.logical = {out, auxiliary};
  parameter.initializer = Initializer::uniform;
  parameter.scale = inverse_root(in + auxiliary);  // as of one layer of both
  auxiliary_weight = store.parameter(parameter);
}

Var JoinedLinear::operator()(Tape& tape, const Var& x, const Var& auxiliary) const {
  const Var y = own(tape, x);
  if (!auxiliary_weight) return y;
  return add(tape, y, linear(tape, auxiliary, auxiliary_weight, nullptr));
}

}  // namespace retort
