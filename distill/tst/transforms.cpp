#include "distill/tst/transforms.h"

#include <cmath>
#include <numeric>

#include "kernels/fixed_operations.h"
#include "kernels/philox.h"

namespace retort {
namespace {

const std::string kPrefix = "retort/tst/", kMomentum = "/momentum";

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

}  // namespace

LearnedTransforms::LearnedTransforms(Context& context, Encoders encoders, bool random_strength)
    : context_(context), encoders_(std::move(encoders)) {
  draws_.transforms = kOperations;
  draws_.magnitudes = kOperationsWithStrength;
  draws_.random_strength = random_strength;
  ParameterSpec spec;
  spec.name = "probabilities";
  spec.logical = {kOperations};
  probabilities_ = scalars_.parameter(spec);
  spec.name = "magnitudes";
  spec.logical = {kOperationsWithStrength};
  magnitudes_ = scalars_.parameter(spec);
  scalars_.materialise(context, 0, Trainable::yes, Moments::one);
}

void LearnedTransforms::choose(std::uint32_t seed, std::uint32_t epoch, std::int64_t batch) {
  const Philox4 words = philox(seed, Purpose::transform_choice, static_cast<std::uint64_t>(batch), epoch, 0);
  std::vector<int> left(kOperations);
  std::iota(left.begin(), left.end(), 0);
  std::vector<Operation> chosen;
  for (const std::uint32_t word : words.v) {
    const auto place = static_cast<std::ptrdiff_t>(to_below(word, static_cast<std::uint32_t>(left.size())));
    chosen.push_back(static_cast<Operation>(left[static_cast<std::size_t>(place)]));
    left.erase(left.begin() + place);
  }
  choose(chosen);
}

void LearnedTransforms::choose(const std::vector<Operation>& operations) {
  draws_.count = static_cast<int>(operations.size());
  for (std::size_t k = 0; k < operations.size(); ++k) {
    const int operation = static_cast<int>(operations[k]);
    draws_.transform[k] = operation;
    draws_.magnitude[k] = operation < kOperationsWithStrength ? operation : -1;
    draws_.two_ways[k] = info_of(operations[k]).two_ways;
  }
}

std::string LearnedTransforms::chosen() const {
  std::string names;
  for (int k = 0; k < draws_.count; ++k) {
    names += (k > 0 ? ", " : "") + std::string(info_of(static_cast<Operation>(draws_.transform[k])).name);
  }
  return names;
}

Tensor LearnedTransforms::fixed(Operation operation, const Tensor& images, const StepState* state) const {
  const Shape& s = images.shape();
  const Tensor out = context_.make(s, DType::f32, info_of(operation).name);
  const int rows = s.at(0), height = s.at(1), width = s.at(2), channels = s.at(3);
  if (operation == Operation::equalize) {
    RETORT_LAUNCH(context_, 0, equalize, rows, height, width, channels, images.f32(), out.f32());
  } else if (operation == Operation::invert) {
    RETORT_LAUNCH(context_, 0, invert, images.count(), images.f32(), out.f32());
  } else {
    // Half of the side [choice], as cutout's own paper has it for CIFAR-10.
    RETORT_LAUNCH(context_, 0, cutout, rows, height, width, channels, height / 2, state, images.f32(), out.f32());
  }
  return out;
}

LearnedTransforms::Versions LearnedTransforms::versions(Tape& tape, const Tensor& images,
                                                        const StepState* state) const {
  RETORT_CHECK(draws_.count > 0, "no operations were chosen for this batch");
  std::vector<Var> learned;
  for (int k = 0; k < draws_.count; ++k) {
    const bool encoded = draws_.magnitude[k] >= 0;
    learned.push_back(encoded ? encoders_[static_cast<std::size_t>(draws_.transform[k])]->learned() : nullptr);
  }
  const DrawnTransforms drawn =
      draw_transforms(tape, draws_, images.shape().at(0), probabilities_, magnitudes_, learned, kEncoderNoise, state);
  Versions out;
  out.share = drawn.share;
  for (int k = 0; k < draws_.count; ++k) {
    const auto place = static_cast<std::size_t>(k);
    const auto operation = static_cast<std::size_t>(draws_.transform[k]);
    out.images.push_back(drawn.features[place]
                             ? (*encoders_[operation])(tape, images, drawn.features[place])
                             : tape.variable(fixed(static_cast<Operation>(operation), images, state), false));
  }
  return out;
}

void LearnedTransforms::add_to(TensorFile& file) const {
  for (std::size_t i = 0; i < scalars_.parameter_count(); ++i) {
    const ParameterSpec& spec = scalars_.specs()[i];
    file.tensors[kPrefix + spec.name] = FileTensor::of(scalars_.read(i), spec.logical.extents());
    file.tensors[kPrefix + spec.name + kMomentum] =
        FileTensor::of(scalars_.read(i, ParameterStore::Field::momentum), spec.logical.extents());
  }
}

void LearnedTransforms::read(const TensorFile& file, const std::string& path) {
  const auto floats = [&](const std::string& name, const Shape& shape) {
    RETORT_CHECK_AS(ErrorKind::input, file.has(name) && file.at(name).shape == shape.extents(), path, ": has no '",
                    name, "' of shape ", shape);
    return file.at(name).to_floats();
  };
  for (std::size_t i = 0; i < scalars_.parameter_count(); ++i) {
    const ParameterSpec& spec = scalars_.specs()[i];
    scalars_.write(i, floats(kPrefix + spec.name, spec.logical));
    scalars_.write(i, floats(kPrefix + spec.name + kMomentum, spec.logical), ParameterStore::Field::momentum);
  }
}

std::vector<double> LearnedTransforms::strengths() const {
  std::vector<double> all;
  for (const float magnitude : scalars_.read(1)) all.push_back(sigmoid(magnitude));
  return all;
}

std::vector<double> LearnedTransforms::chances() const {
  std::vector<double> all;
  for (const float probability : scalars_.read(0)) all.push_back(sigmoid(sigmoid(probability)));
  return all;
}

}  // namespace retort
