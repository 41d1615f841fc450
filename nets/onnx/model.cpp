#include "nets/onnx/model.h"

#include <onnx/onnx_pb.h>

#include "engine/trace.h"
#include "kernels/step_state.h"

namespace retort {
namespace {

constexpr int operator_set = 13;
constexpr int ir_version = 7;  // of the ONNX release that has this operator set

/// (O, H, W, I) to (O, I, H, W).
std::vector<float> logical_order(const std::vector<float>& stored, const Shape& shape) {
  const auto area = static_cast<std::size_t>(shape[1] * shape[2]), channels = static_cast<std::size_t>(shape[3]);
  std::vector<float> logical(stored.size());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const std::size_t o = i / (area * channels), position = i / channels % area, c = i % channels;
    logical[(o * channels + c) * area + position] = stored[i];
  }
  return logical;
}

std::string layer_of(const std::string& parameter) {
  return parameter.substr(0, parameter.rfind('.'));
}

/// Turns a trace into nodes. An op with fused parts becomes several.
class Writer {
 public:
  Writer(Network& network, Context& values, onnx::GraphProto& graph)
      : parameters_(network.parameters()), values_(values), graph_(graph) {
    for (std::size_t i = 0; i < parameters_.specs().size(); ++i) index_[parameters_.specs()[i].name] = i;
  }

  void input(const Var& variable, const std::string& name) { names_[variable.get()] = name; }
  /// The name that this result will have, whichever node makes it.
  void output(const Var& variable, const std::string& name) { outputs_[variable.get()] = name; }

  void constant(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    onnx::TensorProto& tensor = *graph_.add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : shape) tensor.add_dims(extent);
    tensor.set_raw_data(values.data(), values.size() * sizeof(float));  // little-endian, as all that Retort runs on
  }

  onnx::NodeProto& node(const std::string& type, const std::string& name, const std::vector<std::string>& inputs) {
    onnx::NodeProto& node = *graph_.add_node();
    node.set_op_type(type);
    node.set_name(name);
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(name);
    return node;
  }

  void op(const TracedOp& op) {
    using Kind = TracedOp::Kind;
    switch (op.kind) {
      case Kind::conv2d:
        convolution(op);
        return;
      case Kind::linear:
        linear(op);
        return;
      case Kind::batch_norm:
        batch_norm(op);
        return;
      case Kind::relu:
        finish(op, {{"Relu", {}}});
        return;
      case Kind::add:
        finish(op, {{"Add", {name_of(op.x2)}}});
        return;
      case Kind::max_pool2d:
        pool("MaxPool", op);
        return;
      case Kind::avg_pool2d:
        pool("AveragePool", op);
        return;
      case Kind::global_avg_pool:
        finish(op, {{"GlobalAveragePool", {}}, {"Flatten", {}}});
        return;
      case Kind::flatten:
        finish(op, {{"Flatten", {}}});
        return;
    }
    fail(ErrorKind::internal, "an op that ONNX export does not know");
  }

 private:
  struct Step {
    std::string type;
    std::vector<std::string> more_inputs;  ///< behind the result of the step before
    std::string name = {};                 ///< default: made up
  };

  std::string name_of(const Var& variable) const {
    const auto found = names_.find(variable.get());
    if (found == names_.end()) fail(ErrorKind::internal, "the forward pass has an op that is not in its trace");
    return found->second;
  }

  std::string made_up(const std::string& type) { return type + "_" + std::to_string(++counts_[type]); }

  /// Nodes one behind the other, from op.x to op.y. Returns the first.
  onnx::NodeProto* finish(const TracedOp& op, const std::vector<Step>& steps, const std::string& from = {}) {
    std::string at = from.empty() ? name_of(op.x) : from;
    onnx::NodeProto* first = nullptr;
    const auto wanted = outputs_.find(op.y.get());
    for (const Step& step : steps) {
      std::vector<std::string> inputs{at};
      inputs.insert(inputs.end(), step.more_inputs.begin(), step.more_inputs.end());
      at = step.name.empty() ? made_up(step.type) : step.name;
      onnx::NodeProto& added = node(step.type, at, inputs);
      if (first == nullptr) first = &added;
      if (&step == &steps.back() && wanted != outputs_.end()) {
        at = wanted->second;
        added.set_output(0, at);
      }
    }
    names_[op.y.get()] = at;
    return first;
  }

  /// What a fused op does behind its main part.
  void add_tail(const TracedOp& op, const std::string& layer, std::vector<Step>& steps) const {
    if (op.residual) steps.push_back({"Add", {name_of(op.residual)}, layer + ".add"});
    if (op.relu) steps.push_back({"Relu", {}, layer + ".relu"});
  }

  static void set(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute.add_ints(value);
  }
  static void set(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
  }
  static void set(onnx::NodeProto& node, const std::string& name, float value) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::FLOAT);
    attribute.set_f(value);
  }

  std::string parameter(const Var& variable) {
    const std::size_t i = index_.at(variable->name);
    constant(variable->name, parameters_.specs()[i].logical.extents(), parameters_.read(i));
    return variable->name;
  }

  std::vector<float> read(const Tensor& tensor) const {
    std::vector<float> values(static_cast<std::size_t>(tensor.count()));
    copy_to_host(values_, tensor, values.data());
    return values;
  }
  std::string statistic(const std::string& name, const Tensor& tensor) {
    constant(name, tensor.shape().extents(), read(tensor));
    return name;
  }

  void convolution(const TracedOp& op) {
    std::vector<std::string> operands;
    std::string layer;
    std::int64_t rows, columns;
    if (op.folded != nullptr) {
      const Shape& shape = op.folded->weight.shape();
      layer = op.folded->layer;
      rows = shape[1], columns = shape[2];
      constant(layer + ".weight", {shape[0], shape[3], rows, columns}, logical_order(read(op.folded->weight), shape));
      operands = {layer + ".weight", statistic(layer + ".bias", op.folded->bias)};
    } else {
      layer = layer_of(op.weight->name);
      rows = op.weight->shape()[1], columns = op.weight->shape()[2];
      operands = {parameter(op.weight)};
      if (op.bias) operands.push_back(parameter(op.bias));
    }
    std::vector<Step> steps{{"Conv", operands, layer}};
    add_tail(op, layer, steps);
    onnx::NodeProto& node = *finish(op, steps);
    set(node, "kernel_shape", std::vector<std::int64_t>{rows, columns});
    set(node, "strides", std::vector<std::int64_t>(2, op.stride));
    set(node, "pads", std::vector<std::int64_t>(4, op.padding));
  }

  void linear(const TracedOp& op) {
    std::vector<std::string> operands{parameter(op.weight)};
    if (op.bias) operands.push_back(parameter(op.bias));
    const std::string& weight = op.weight->name;  // a JoinedLinear's second one is no layer of its own
    const std::string layer = weight.ends_with(".weight") ? layer_of(weight) : weight + ".product";
    set(*finish(op, {{"Gemm", operands, layer}}), "transB", std::int64_t{1});
  }

  void batch_norm(const TracedOp& op) {
    const std::string layer = layer_of(op.norm.gamma->name);
    std::string from = name_of(op.x);
    if (op.x2) {
      from = layer + ".sum";
      node("Add", from, {name_of(op.x), name_of(op.x2)});
      names_[op.sum.get()] = from;
    }
    std::vector<Step> steps{
        {"BatchNormalization",
         {parameter(op.norm.gamma), parameter(op.norm.beta), statistic(layer + ".running_mean", op.norm.running_mean),
          statistic(layer + ".running_var", op.norm.running_var)},
         layer}};
    add_tail(op, layer, steps);
    set(*finish(op, steps, from), "epsilon", op.norm.epsilon);
  }

  void pool(const std::string& type, const TracedOp& op) {
    onnx::NodeProto& node = *finish(op, {{type, {}}});
    set(node, "kernel_shape", std::vector<std::int64_t>(2, op.kernel));
    set(node, "strides", std::vector<std::int64_t>(2, op.stride));
  }

  ParameterStore& parameters_;
  Context& values_;
  onnx::GraphProto& graph_;
  std::map<std::string, std::size_t> index_;
  std::map<const Variable*, std::string> names_, outputs_;
  std::map<std::string, int> counts_;
};

void describe(onnx::ValueInfoProto& info, const std::string& name, const std::vector<std::int64_t>& behind_batch) {
  info.set_name(name);
  onnx::TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  for (const std::int64_t extent : behind_batch) type.mutable_shape()->add_dim()->set_dim_value(extent);
}

}  // namespace

void require_onnx() {}

std::string onnx_model(Network& network, const OnnxOptions& options) {
  RETORT_CHECK(network.parameters().materialised(), network.name(), " has no values to export");
  const ImageFormat in = network.input();
  const auto channels = static_cast<std::size_t>(in.channels);
  RETORT_CHECK(options.mean.size() == options.std.size() && (options.mean.empty() || options.mean.size() == channels),
               options.mean.size(), " means and ", options.std.size(), " deviations for ", channels, " channels");

  // Measured rather than run: the pass allocates nothing and computes nothing.
  Context pass(network.parameters().variable(0)->value.device());
  pass.begin_measuring();
  std::vector<TracedOp> ops;
  Tape tape(pass, Tape::Recording::off);
  tape.set_trace(&ops);
  const StepState state;
  const ForwardInput input = blank_input(tape, in, 1, &state);
  const Var logits = network.forward(tape, input, ForwardMode::evaluation());

  onnx::ModelProto model;
  model.set_ir_version(ir_version);
  model.set_producer_name("retort");
  model.set_producer_version(options.producer_version);
  model.add_opset_import()->set_version(operator_set);
  for (const auto& [key, value] : options.metadata) {
    onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name(network.name());
  describe(*graph.add_input(), "images", {in.channels, in.height, in.width});
  if (in.auxiliary > 0) describe(*graph.add_input(), "auxiliary", {in.auxiliary});
  describe(*graph.add_output(), "logits", {network.classes()});

  Context values(pass.device());
  Writer writer(network, values, graph);
  writer.input(input.images, "images");
  if (input.auxiliary) writer.input(input.auxiliary, "auxiliary");
  if (!options.mean.empty()) {
    const std::vector<std::int64_t> shape{1, in.channels, 1, 1};
    writer.constant("mean", shape, options.mean);
    writer.constant("std", shape, options.std);
    writer.node("Sub", "centred", {"images", "mean"});
    writer.node("Div", "normalised", {"centred", "std"});
    writer.input(input.images, "normalised");
  }
  writer.output(logits, "logits");
  for (const TracedOp& op : ops) writer.op(op);
  std::string bytes;
  RETORT_CHECK_AS(ErrorKind::internal, model.SerializeToString(&bytes), "the ONNX model cannot be serialised");
  return bytes;
}

}  // namespace retort
