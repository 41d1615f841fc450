#include "data/device_dataset.h"

#include <algorithm>
#include <numeric>

#include "kernels/augmentation.h"
#include "kernels/philox.h"

namespace retort {
namespace {

template <typename T>
DeviceBlock upload(Context& context, const std::vector<T>& host) {
  if (host.empty()) return {};
  DeviceBlock block(context.device(), host.size() * sizeof(T));
  RETORT_BACKEND(context.device(), copy_bytes(context.launch(), block.data(), host.data(), block.bytes()));
  RETORT_BACKEND(context.device(), synchronize(context.launch()));
  return block;
}

}  // namespace

DeviceDataset::DeviceDataset(Context& context, const Dataset& dataset, const ImageSplit& split)
    : context_(context),
      count_(split.count()),
      height_(dataset.height),
      width_(dataset.width),
      channels_(dataset.channels),
      target_width_(split.target_width),
      auxiliary_width_(split.auxiliary_width),
      images_(upload(context, split.pixels)),
      labels_(upload(context, split.labels)),
      targets_(upload(context, split.targets)),
      auxiliary_(upload(context, split.auxiliary)) {
  set_normalisation(dataset);
}

void DeviceDataset::set_normalisation(const Dataset& dataset) {
  for (int c = 0; c < std::min(channels_, 3); ++c) {
    const auto i = static_cast<std::size_t>(c);
    map_.scale[c] = 1.0F / (255.0F * dataset.std[i]);
    map_.shift[c] = -dataset.mean[i] / dataset.std[i];
  }
}

void DeviceDataset::set_weights(const std::vector<float>& weights) {
  RETORT_CHECK(weights.empty() || static_cast<int>(weights.size()) == count_, weights.size(), " weights for ", count_,
               " samples");
  weights_ = upload(context_, weights);
}

ChannelMap DeviceDataset::normalisation() const {
  ChannelMap map = map_;
  for (float& scale : map.scale) scale *= 255;
  return map;
}

Batch DeviceDataset::batch(const Tensor& samples, const Augmentation& augmentation, const StepState* state) {
  return gather(samples, augmentation, state, map_, context_.activation_dtype());
}

Batch DeviceDataset::raw_batch(const Tensor& samples, const Augmentation& augmentation, const StepState* state) {
  ChannelMap map;
  for (float& scale : map.scale) scale = 1.0F / 255;
  return gather(samples, augmentation, state, map, DType::f32);
}

Batch DeviceDataset::gather(const Tensor& samples, const Augmentation& augmentation, const StepState* state,
                            const ChannelMap& map, DType dtype) {
  Batch batch;
  const int rows = batch.rows = samples.shape().at(0);
  batch.samples = samples;
  AugmentShape shape;
  shape.rows = rows;
  shape.height = height_;
  shape.width = width_;
  shape.channels = shape.out_channels = channels_;
  shape.crop_padding = augmentation.crop_padding;
  shape.flip = augmentation.flip;
  shape.dtype = dtype;
  shape.mix = augmentation.mix;
  shape.mix.partners = count_;
  std::copy_n(map.scale, 4, shape.scale);
  std::copy_n(map.shift, 4, shape.shift);
  batch.images = context_.make({rows, height_, width_, channels_}, shape.dtype, "images");
  BatchColumns columns;
  if (labels_.data() || shape.mix.kind != MixKind::none) {
    batch.labels = context_.make({rows}, DType::i32, "labels");
    columns.labels_from = static_cast<const std::int32_t*>(labels_.data());
    columns.labels = batch.labels.i32();
  }
  FloatColumn* next = columns.floats;
  const auto take = [&](const DeviceBlock& values, int width, const char* who) {
    if (!values.data()) return Tensor();
    Tensor out = context_.make({rows, width}, DType::f32, who);
    *next++ = {static_cast<const float*>(values.data()), out.f32(), width};
    return out;
  };
  batch.targets = take(targets_, target_width_, "targets");
  batch.auxiliary = take(auxiliary_, auxiliary_width_, "auxiliary features");
  const Tensor weights = take(weights_, 1, "loss weights");
  if (weights) batch.weights = weights.reshaped({rows});
  RETORT_LAUNCH(context_, 0, gather_augment, shape, static_cast<const std::uint8_t*>(images_.data()), samples.i32(),
                columns, state, batch.images.data());
  context_.count_bytes(static_cast<std::size_t>(batch.images.count()) + batch.images.bytes());
  return batch;
}

Batch DeviceDataset::batch(const std::int32_t* samples, int rows, const Augmentation& augmentation,
                           const StepState* state) {
  const Tensor tensor = context_.make({rows}, DType::i32, "samples");
  copy_to_device(context_, samples, tensor);
  return batch(tensor, augmentation, state);
}

std::vector<std::int32_t> epoch_order(int n, const std::vector<std::int32_t>& subset, std::uint32_t seed,
                                      std::uint32_t epoch, bool shuffle) {
  std::vector<std::int32_t> rows = subset;
  if (rows.empty()) {
    rows.resize(static_cast<std::size_t>(n));
    std::iota(rows.begin(), rows.end(), 0);
  }
  if (!shuffle) return rows;
  std::vector<std::pair<std::uint64_t, std::int32_t>> keyed(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Philox4 bits = philox(seed, Purpose::shuffle, static_cast<std::uint64_t>(rows[i]), epoch, 0);
    keyed[i] = {(static_cast<std::uint64_t>(bits.v[0]) << 32) | bits.v[1], rows[i]};
  }
  std::sort(keyed.begin(), keyed.end());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = keyed[i].second;
  return rows;
}

}  // namespace retort
