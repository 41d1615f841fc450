#include "distill/tst/encoders.h"

#include "engine/image_ops.h"
#include "engine/ops.h"
#include "kernels/colour_filter.h"

namespace retort {
namespace {

constexpr int kGeometricValues = 6, kColourValues = 10;
constexpr const char* kFormat = "1";

bool moves_pixels(Operation operation) {
  return static_cast<int>(operation) >= kColourOperations;
}

}  // namespace

Encoder::Encoder(Operation operation, int channels) : operation_(operation), channels_(channels) {
  const bool geometric = moves_pixels(operation);
  const int values = geometric ? kGeometricValues : kColourValues, outputs = geometric ? 6 : 2;
  const std::string name = info_of(operation).name;
  const auto parameter = [&](const char* part, const Shape& shape, Layout layout = Layout::plain) {
    ParameterSpec spec;
    spec.name = name + part;
    spec.logical = shape;
    spec.layout = layout;
    return parameters_.parameter(spec);
  };
  learned_ = parameter(".learned", {values});
  weight_ = parameter(".linear.weight", {outputs, values + 1});
  bias_ = parameter(".linear.bias", {outputs});
  constexpr int side = ColourFilterShape::kSide;
  if (!geometric) filter_ = parameter(".filter.weight", {channels, channels, side, side}, Layout::conv);
}

void Encoder::initialise(Context& context, Trainable trainable) {
  parameters_.materialise(context, 0, trainable, trainable == Trainable::yes ? Moments::two : Moments::none);
  // Everything else begins with zeros.
  parameters_.write(0, std::vector<float>(static_cast<std::size_t>(learned_->shape()[0]), 1.0F));
  parameters_.write(2, geometric() ? std::vector<float>{1, 0, 0, 0, 1, 0} : std::vector<float>{1, 0});
  if (geometric()) return;
  constexpr int area = ColourFilterShape::kSide * ColourFilterShape::kSide;
  std::vector<float> identity(static_cast<std::size_t>(channels_ * channels_ * area));
  for (int c = 0; c < channels_; ++c) identity[static_cast<std::size_t>((c * channels_ + c) * area + area / 2)] = 1;
  parameters_.write(3, identity);
}

Var Encoder::operator()(Tape& tape, const Tensor& images, const Var& features) const {
  const Var how = linear(tape, features, weight_, bias_);
  return geometric() ? affine_sample(tape, images, how) : colour_filter(tape, images, how, filter_);
}

Encoders make_encoders(int channels) {
  RETORT_CHECK(channels == 1 || channels == 3, "encoders of operations for images with ", channels, " channels");
  Encoders all;
  for (int i = 0; i < kOperationsWithStrength; ++i) {
    all.push_back(std::make_unique<Encoder>(static_cast<Operation>(i), channels));
  }
  return all;
}

TensorFile to_file(const Encoders& encoders, int channels) {
  TensorFile file;
  file.metadata["retort_encoders"] = kFormat;
  file.metadata["channels"] = std::to_string(channels);
  for (const auto& encoder : encoders) {
    const ParameterStore& parameters = encoder->parameters();
    for (std::size_t i = 0; i < parameters.parameter_count(); ++i) {
      const ParameterSpec& spec = parameters.specs()[i];
      file.tensors[spec.name] = FileTensor::of(parameters.read(i), spec.logical.extents());
    }
  }
  return file;
}

Encoders read_encoders(Context& context, const std::string& path, int channels) {
  const TensorFile file = read_safetensors(path);
  const auto says = [&](const char* key, const std::string& wanted) {
    const auto found = file.metadata.find(key);
    return found != file.metadata.end() && found->second == wanted;
  };
  RETORT_CHECK_AS(ErrorKind::input, says("retort_encoders", kFormat), path, ": not a file of retort tst-pretrain");
  RETORT_CHECK_AS(ErrorKind::input, says("channels", std::to_string(channels)), path,
                  ": its encoders are not for images with ", channels, channels == 1 ? " channel" : " channels");
  Encoders encoders = make_encoders(channels);
  for (const auto& encoder : encoders) {
    encoder->initialise(context, Trainable::no);
    ParameterStore& parameters = encoder->parameters();
    for (std::size_t i = 0; i < parameters.parameter_count(); ++i) {
      const ParameterSpec& spec = parameters.specs()[i];
      RETORT_CHECK_AS(ErrorKind::input, file.has(spec.name) && file.at(spec.name).shape == spec.logical.extents(), path,
                      ": has no '", spec.name, "' of shape ", spec.logical);
      parameters.write(i, file.at(spec.name).to_floats());
    }
  }
  return encoders;
}

}  // namespace retort
