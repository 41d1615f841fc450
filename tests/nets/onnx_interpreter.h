// Runs an ONNX graph by the definitions of its operators, in double precision: the ones that a network's export has.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstring>
#include <limits>
#include <map>

#include "tests/nets/support.h"

namespace retort::test {

struct OnnxValue {
  std::vector<std::int64_t> shape;  // NCHW or (N, features)
  Values data;
  std::int64_t extent(std::size_t i) const { return i < shape.size() ? shape[i] : 1; }
};

class OnnxInterpreter {
 public:
  explicit OnnxInterpreter(const onnx::GraphProto& graph) : graph_(graph) {
    for (const onnx::TensorProto& tensor : graph.initializer()) {
      OnnxValue& value = values_[tensor.name()];
      value.shape.assign(tensor.dims().begin(), tensor.dims().end());
      std::vector<float> floats(tensor.raw_data().size() / sizeof(float));
      std::memcpy(floats.data(), tensor.raw_data().data(), tensor.raw_data().size());
      value.data.assign(floats.begin(), floats.end());
      std::int64_t count = 1;
      for (const std::int64_t extent : value.shape) count *= extent;
      REQUIRE_MESSAGE(count == static_cast<std::int64_t>(floats.size()), tensor.name());
    }
  }

  Values run(const std::map<std::string, OnnxValue>& inputs, const std::string& output) {
    for (const auto& [name, value] : inputs) values_[name] = value;
    for (const onnx::NodeProto& node : graph_.node()) {
      REQUIRE_MESSAGE(values_.count(node.output(0)) == 0, "two nodes make " << node.output(0));
      values_[node.output(0)] = compute(node);
    }
    return at(output).data;
  }

 private:
  const OnnxValue& at(const std::string& name) const {
    const auto found = values_.find(name);
    REQUIRE_MESSAGE(found != values_.end(), name << " is used before it is made");
    return found->second;
  }
  static const onnx::AttributeProto& attribute(const onnx::NodeProto& node, const std::string& name) {
    for (const onnx::AttributeProto& a : node.attribute()) {
      if (a.name() == name) return a;
    }
    FAIL(node.name() << " has no attribute " << name);
    return node.attribute(0);
  }

  OnnxValue compute(const onnx::NodeProto& node) const {
    const std::string& type = node.op_type();
    const OnnxValue& x = at(node.input(0));
    if (type == "Conv") return convolution(node, x);
    if (type == "MaxPool") return pool(node, x, true);
    if (type == "AveragePool") return pool(node, x, false);
    if (type == "Gemm") return product(node, x);
    OnnxValue y = x;
    if (type == "Relu") {
      for (double& value : y.data) value = std::max(value, 0.0);
    } else if (type == "Add" || type == "Sub" || type == "Div") {
      with_other(y, at(node.input(1)), type[0]);
    } else if (type == "BatchNormalization") {
      normalise(node, y);
    } else if (type == "GlobalAveragePool") {
      y = averages(x);
    } else if (type == "Flatten") {
      y.shape = {x.shape[0], static_cast<std::int64_t>(x.data.size()) / x.shape[0]};
    } else {
      FAIL("an operator that no export should have: " << type);
    }
    return y;
  }

  /// The other operand is of the same shape or has one value a channel.
  static void with_other(OnnxValue& y, const OnnxValue& other, char op) {
    const auto channels = static_cast<std::size_t>(y.extent(1)),
               area = static_cast<std::size_t>(y.extent(2) * y.extent(3));
    const bool same = other.shape == y.shape;
    REQUIRE((same || other.shape == std::vector<std::int64_t>{1, y.extent(1), 1, 1}));
    for (std::size_t i = 0; i < y.data.size(); ++i) {
      const double b = other.data[same ? i : i / area % channels];
      y.data[i] = op == 'A' ? y.data[i] + b : op == 'S' ? y.data[i] - b : y.data[i] / b;
    }
  }

  void normalise(const onnx::NodeProto& node, OnnxValue& y) const {
    const Values &scale = at(node.input(1)).data, &shift = at(node.input(2)).data;
    const Values &mean = at(node.input(3)).data, &variance = at(node.input(4)).data;
    const double epsilon = static_cast<double>(attribute(node, "epsilon").f());
    const auto area = static_cast<std::size_t>(y.extent(2) * y.extent(3));
    for (std::size_t i = 0; i < y.data.size(); ++i) {
      const std::size_t c = i / area % scale.size();
      y.data[i] = (y.data[i] - mean[c]) / std::sqrt(variance[c] + epsilon) * scale[c] + shift[c];
    }
  }

  static OnnxValue averages(const OnnxValue& x) {
    const auto area = static_cast<std::size_t>(x.extent(2) * x.extent(3));
    OnnxValue y{{x.extent(0), x.extent(1), 1, 1}, Values(x.data.size() / area)};
    for (std::size_t i = 0; i < x.data.size(); ++i) y.data[i / area] += x.data[i] / static_cast<double>(area);
    return y;
  }

  OnnxValue convolution(const onnx::NodeProto& node, const OnnxValue& x) const {
    const OnnxValue& weight = at(node.input(1));
    const std::int64_t stride = attribute(node, "strides").ints(0), pad = attribute(node, "pads").ints(0);
    const std::int64_t side = weight.extent(2);
    REQUIRE(attribute(node, "kernel_shape").ints(0) == side);
    REQUIRE(weight.extent(1) == x.extent(1));
    const auto out = [&](std::int64_t extent) { return (extent + 2 * pad - side) / stride + 1; };
    OnnxValue y{{x.extent(0), weight.extent(0), out(x.extent(2)), out(x.extent(3))}, {}};
    const std::int64_t area = y.extent(2) * y.extent(3), inputs = x.extent(1);
    y.data.resize(static_cast<std::size_t>(y.extent(0) * y.extent(1) * area));
    for (std::int64_t plane = 0; plane < y.extent(0) * y.extent(1); ++plane) {
      const std::int64_t n = plane / y.extent(1), k = plane % y.extent(1);
      double* to = y.data.data() + plane * area;
      if (node.input_size() > 2) std::fill_n(to, area, at(node.input(2)).data[static_cast<std::size_t>(k)]);
      // A weight at a time: the innermost loop runs along a row.
      for (std::int64_t i = 0; i < inputs * side * side; ++i) {
        const double factor = weight.data[static_cast<std::size_t>(k * inputs * side * side + i)];
        const double* from = x.data.data() + (n * inputs + i / (side * side)) * x.extent(2) * x.extent(3);
        const std::int64_t r = i / side % side - pad, s = i % side - pad;
        for (std::int64_t p = 0; p < y.extent(2); ++p) {
          const std::int64_t h = p * stride + r;
          if (h < 0 || h >= x.extent(2)) continue;
          for (std::int64_t q = 0; q < y.extent(3); ++q) {
            const std::int64_t w = q * stride + s;
            if (w >= 0 && w < x.extent(3)) to[p * y.extent(3) + q] += factor * from[h * x.extent(3) + w];
          }
        }
      }
    }
    return y;
  }

  OnnxValue pool(const onnx::NodeProto& node, const OnnxValue& x, bool largest) const {
    const std::int64_t side = attribute(node, "kernel_shape").ints(0), stride = attribute(node, "strides").ints(0);
    const auto out = [&](std::int64_t extent) { return (extent - side) / stride + 1; };
    OnnxValue y{{x.extent(0), x.extent(1), out(x.extent(2)), out(x.extent(3))}, {}};
    for (std::int64_t plane = 0; plane < y.extent(0) * y.extent(1); ++plane)
      for (std::int64_t p = 0; p < y.extent(2); ++p)
        for (std::int64_t q = 0; q < y.extent(3); ++q) {
          double best = -std::numeric_limits<double>::infinity(), sum = 0;
          for (std::int64_t r = 0; r < side; ++r)
            for (std::int64_t s = 0; s < side; ++s) {
              const double value = x.data[static_cast<std::size_t>(
                  (plane * x.extent(2) + p * stride + r) * x.extent(3) + q * stride + s)];
              best = std::max(best, value);
              sum += value / static_cast<double>(side * side);
            }
          y.data.push_back(largest ? best : sum);
        }
    return y;
  }

  OnnxValue product(const onnx::NodeProto& node, const OnnxValue& x) const {
    const OnnxValue& weight = at(node.input(1));
    REQUIRE(attribute(node, "transB").i() == 1);
    REQUIRE(weight.extent(1) == x.extent(1));
    OnnxValue y{{x.extent(0), weight.extent(0)}, {}};
    const auto in = static_cast<std::size_t>(weight.extent(1)), outs = static_cast<std::size_t>(weight.extent(0));
    const Values none, &bias = node.input_size() > 2 ? at(node.input(2)).data : none;
    for (std::size_t n = 0; n < static_cast<std::size_t>(x.extent(0)); ++n)
      for (std::size_t o = 0; o < outs; ++o) {
        double sum = bias.empty() ? 0 : bias[o];
        for (std::size_t i = 0; i < in; ++i) sum += x.data[n * in + i] * weight.data[o * in + i];
        y.data.push_back(sum);
      }
    return y;
  }

  const onnx::GraphProto& graph_;
  std::map<std::string, OnnxValue> values_;
};

}  // namespace retort::test
