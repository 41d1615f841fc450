#include "engine/parameters.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/elementwise.h"
#include "kernels/philox.h"

namespace retort {
namespace {

constexpr std::int64_t alignment = 64;  // elements, so that every parameter begins at a multiple of 256 bytes

std::int64_t aligned(std::int64_t n) {
  return (n + alignment - 1) / alignment * alignment;
}

Shape storage_shape(const ParameterSpec& spec) {
  const Shape& s = spec.logical;
  if (spec.layout == Layout::conv) return {s[0], s[2], s[3], s[1]};
  return s;
}

/// For each storage position, in order, the logical position it holds.
std::vector<std::int64_t> logical_positions(const ParameterSpec& spec) {
  const Shape& s = spec.logical;
  std::vector<std::int64_t> positions;
  positions.reserve(static_cast<std::size_t>(s.count()));
  std::int64_t channels = 1, height = 1, width = 1;
  if (spec.layout == Layout::conv) {
    channels = s[1], height = s[2], width = s[3];
  } else if (spec.layout == Layout::flatten_chw) {
    height = spec.image_height, width = spec.image_width, channels = s[1] / (height * width);
  } else {
    for (std::int64_t i = 0; i < s.count(); ++i) positions.push_back(i);
    return positions;
  }
  for (std::int64_t o = 0; o < s[0]; ++o)
    for (std::int64_t h = 0; h < height; ++h)
      for (std::int64_t w = 0; w < width; ++w)
        for (std::int64_t c = 0; c < channels; ++c) positions.push_back(((o * channels + c) * height + h) * width + w);
  return positions;
}

/// Initial values in logical order: a function of the seed, the parameter's place and the element's place only.
std::vector<float> initial_values(const ParameterSpec& spec, std::uint32_t seed, std::uint32_t index) {
  std::vector<float> values(static_cast<std::size_t>(spec.logical.count()));
  if (spec.initializer == Initializer::ones) values.assign(values.size(), 1.0F);
  if (spec.initializer == Initializer::zeros || spec.initializer == Initializer::ones) return values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Philox4 bits = philox(seed, Purpose::initialise, i, index, 0);
    if (spec.initializer == Initializer::uniform) {
      values[i] = spec.scale * (2.0F * to_uniform(bits.v[0]) - 1.0F);
    } else {  // Box-Muller, in double
      const double u = (static_cast<double>(bits.v[0]) + 0.5) / 4294967296.0;
      const double v = static_cast<double>(bits.v[1]) / 4294967296.0;
      values[i] = static_cast<float>(spec.scale * std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v));
    }
  }
  return values;
}

/// Where element `offset` of a range lies; somewhere harmless while a context is measuring and there is no range.
template <typename T>
T* element(const DeviceBlock& range, std::int64_t offset) {
  if (range.data() == nullptr) return reinterpret_cast<T*>(alignment);
  return static_cast<T*>(range.data()) + offset;
}

}  // namespace

Var ParameterStore::parameter(const ParameterSpec& spec) {
  RETORT_CHECK(!materialised(), "parameter '", spec.name, "' comes after materialise()");
  if (spec.layout == Layout::conv) RETORT_CHECK(spec.logical.rank() == 4, spec.name, ": shape ", spec.logical);
  if (spec.layout == Layout::flatten_chw) {
    RETORT_CHECK(spec.logical.rank() == 2 && spec.logical[1] % (spec.image_height * spec.image_width) == 0, spec.name,
                 ": shape ", spec.logical, " does not flatten ", spec.image_height, "x", spec.image_width);
  }
  for (const auto& other : specs_) RETORT_CHECK(other.name != spec.name, "two parameters are called '", spec.name, "'");
  auto variable = std::make_shared<Variable>();
  variable->name = spec.name;
  specs_.push_back(spec);
  variables_.push_back(variable);
  offsets_.push_back(elements_);
  elements_ += aligned(spec.logical.count());
  return variable;
}

std::size_t ParameterStore::buffer(const BufferSpec& spec) {
  RETORT_CHECK(!materialised(), "buffer '", spec.name, "' comes after materialise()");
  buffer_specs_.push_back(spec);
  buffer_offsets_.push_back(buffer_elements_);
  buffer_elements_ += aligned(spec.shape.count());
  return buffer_specs_.size() - 1;
}

void ParameterStore::materialise(Context& context, std::uint32_t seed, Trainable trainable, Moments moments) {
  context_ = &context;
  const Device device = context.device();
  const auto range = [&](std::int64_t n, std::size_t size) {
    if (context.measuring()) return DeviceBlock();
    DeviceBlock block(device, static_cast<std::size_t>(n) * size);
    RETORT_LAUNCH(context, 0, fill_zero, block.data(), block.bytes());
    return block;
  };
  master_ = range(elements_, sizeof(float));
  const bool trains = trainable == Trainable::yes;
  if (trains) {
    gradient_ = range(elements_, sizeof(float));
    if (moments != Moments::none) momentum_ = range(elements_, sizeof(float));
    if (moments == Moments::two) second_moment_ = range(elements_, sizeof(float));
  }
  const bool copies = context.precision() == Precision::bf16;
  if (copies) copy_ = range(elements_, sizeof(bfloat16));
  buffers_ = range(buffer_elements_, sizeof(float));
  pending_ = range(buffer_elements_, sizeof(float));

  for (std::size_t i = 0; i < specs_.size(); ++i) {
    Variable& variable = *variables_[i];
    const Shape shape = storage_shape(specs_[i]);
    variable.value = Tensor(shape, DType::f32, device, element<float>(master_, offsets_[i]));
    if (trains) variable.gradient = Tensor(shape, DType::f32, device, element<float>(gradient_, offsets_[i]));
    if (copies) variable.compute = Tensor(shape, DType::bf16, device, element<bfloat16>(copy_, offsets_[i]));
    variable.requires_grad = trains;
    if (!context.measuring()) write(i, initial_values(specs_[i], seed, static_cast<std::uint32_t>(i)));
  }
  if (context.measuring()) return;
  for (std::size_t i = 0; i < buffer_specs_.size(); ++i) {
    write_buffer(
        i, std::vector<float>(static_cast<std::size_t>(buffer_specs_[i].shape.count()), buffer_specs_[i].initial));
  }
  begin_step();
}

Tensor ParameterStore::buffer_in_force(std::size_t i) const {
  return {buffer_specs_[i].shape, DType::f32, context_->device(), element<float>(buffers_, buffer_offsets_[i])};
}

Tensor ParameterStore::buffer_pending(std::size_t i) const {
  return {buffer_specs_[i].shape, DType::f32, context_->device(), element<float>(pending_, buffer_offsets_[i])};
}

std::int64_t ParameterStore::trainable_count() const {
  std::int64_t count = 0;
  for (const auto& spec : specs_) count += spec.logical.count();
  return count;
}

ParameterRange ParameterStore::range() {
  ParameterRange range;
  range.n = elements_;
  range.master = static_cast<float*>(master_.data());
  range.gradient = gradient_.data();
  range.momentum = static_cast<float*>(momentum_.data());
  range.second_moment = static_cast<float*>(second_moment_.data());
  range.copy = static_cast<bfloat16*>(copy_.data());
  return range;
}

float* ParameterStore::buffers() const {
  return static_cast<float*>(buffers_.data());
}
float* ParameterStore::pending_buffers() const {
  return static_cast<float*>(pending_.data());
}

const std::string& ParameterStore::name_at(std::int64_t element) const {
  const auto after = std::upper_bound(offsets_.begin(), offsets_.end(), element);
  RETORT_CHECK(after != offsets_.begin() && element < elements_, "no parameter has element ", element);
  return specs_[static_cast<std::size_t>(after - offsets_.begin()) - 1].name;
}

void ParameterStore::begin_step() {
  for (const Var& variable : variables_) variable->gradient_written = false;
  if (buffer_elements_ == 0) return;
  RETORT_LAUNCH(*context_, 0, copy_bytes, pending_.data(), buffers_.data(), buffers_.bytes());
}

void ParameterStore::finish_gradients() {
  for (const Var& variable : variables_) {
    if (variable->gradient_written || !variable->gradient) continue;
    RETORT_LAUNCH(*context_, 0, fill_zero, variable->gradient.data(), variable->gradient.bytes());
  }
}

float* ParameterStore::field_base(Field field) const {
  const DeviceBlock& block = field == Field::value      ? master_
                             : field == Field::gradient ? gradient_
                             : field == Field::momentum ? momentum_
                                                        : second_moment_;
  return static_cast<float*>(block.data());
}

bool ParameterStore::has(Field field) const {
  return field_base(field) != nullptr;
}

std::vector<float> ParameterStore::read(std::size_t index, Field field) const {
  RETORT_CHECK(has(field), "parameter '", specs_[index].name, "' has no such field");
  const auto positions = logical_positions(specs_[index]);
  std::vector<float> stored(positions.size()), logical(positions.size());
  const Tensor view(Shape{static_cast<std::int64_t>(stored.size())}, DType::f32, context_->device(),
                    field_base(field) + offsets_[index]);
  copy_to_host(*context_, view, stored.data());
  for (std::size_t i = 0; i < stored.size(); ++i) logical[static_cast<std::size_t>(positions[i])] = stored[i];
  return logical;
}

void ParameterStore::write(std::size_t index, const std::vector<float>& logical, Field field) {
  RETORT_CHECK(has(field), "parameter '", specs_[index].name, "' has no such field");
  const auto positions = logical_positions(specs_[index]);
  RETORT_CHECK(logical.size() == positions.size(), specs_[index].name, ": ", logical.size(), " values for shape ",
               specs_[index].logical);
  std::vector<float> stored(positions.size());
  for (std::size_t i = 0; i < stored.size(); ++i) stored[i] = logical[static_cast<std::size_t>(positions[i])];
  const Tensor view(Shape{static_cast<std::int64_t>(stored.size())}, DType::f32, context_->device(),
                    field_base(field) + offsets_[index]);
  copy_to_device(*context_, stored.data(), view);
  RETORT_BACKEND(context_->device(), synchronize(context_->launch()));
  if (field == Field::value && copy_.data()) {
    RETORT_LAUNCH(*context_, 0, convert, view.count(), DType::f32, view.data(), DType::bf16,
                  static_cast<bfloat16*>(copy_.data()) + offsets_[index]);
  }
}

std::vector<float> ParameterStore::read_buffer(std::size_t index) const {
  const Tensor view = buffer_in_force(index);
  std::vector<float> values(static_cast<std::size_t>(view.count()));
  copy_to_host(*context_, view, values.data());
  return values;
}

void ParameterStore::write_buffer(std::size_t index, const std::vector<float>& values) {
  const Tensor view = buffer_in_force(index);
  RETORT_CHECK(static_cast<std::int64_t>(values.size()) == view.count(), buffer_specs_[index].name, ": ", values.size(),
               " values for shape ", view.shape());
  copy_to_device(*context_, values.data(), view);
  RETORT_BACKEND(context_->device(), synchronize(context_->launch()));
}

}  // namespace retort
