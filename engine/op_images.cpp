// defines: affine_sample, colour_filter, blend, blend_into
#include "engine/image_ops.h"
#include "engine/op_support.h"
#include "kernels/affine_sample.h"
#include "kernels/colour_filter.h"

namespace retort {
namespace {

void check_images(const char* op, const Tensor& images) {
  RETORT_CHECK(images && images.dtype() == DType::f32 && images.shape().rank() == 4 && images.shape()[3] <= 4, op,
               ": images ", images.shape(), ", expected f32 (N, H, W, C) with at most 4 channels");
}

BlendedVersions pointers(const std::vector<Var>& versions) {
  BlendedVersions all;
  all.count = static_cast<int>(versions.size());
  for (std::size_t k = 0; k < versions.size(); ++k) all.version[k] = versions[k]->value.f32();
  return all;
}

BlendShape blend_shape(const Tensor& x, const std::vector<Var>& versions, const Var& share, const ChannelMap& map,
                       DType dtype) {
  check_images("blend", x);
  RETORT_CHECK(!versions.empty() && versions.size() <= BlendedVersions::kMost, "blend: ", versions.size(),
               " versions, 1 to ", BlendedVersions::kMost, " are possible");
  const Shape& s = x.shape();
  RETORT_CHECK(share->shape() == Shape({static_cast<std::int64_t>(versions.size()), s[0]}), "blend: ", versions.size(),
               " versions of ", s, ", shares ", share->shape());
  for (const Var& version : versions) {
    RETORT_CHECK(version->shape() == s && version->value.dtype() == DType::f32, "blend: images ", s, ", a version ",
                 version->shape());
  }
  return {s.at(0), std::int64_t{s[1]} * s[2] * s[3], s.at(3), map, dtype};
}

}  // namespace

Var affine_sample(Tape& tape, const Tensor& images, const Var& theta) {
  check_images("affine_sample", images);
  const Shape& s = images.shape();
  RETORT_CHECK(theta->shape() == Shape({s[0], 6}), "affine_sample: images ", s, ", theta ", theta->shape());
  const bool records = tape.records(theta);
  Var y = detail::result(tape, s, DType::f32, records, "affine_sample");
  RETORT_LAUNCH(tape.context(), 0, affine_sample_forward, s.at(0), s.at(1), s.at(2), s.at(3), images.f32(),
                theta->value.f32(), y->value.f32());
  detail::moves(tape.context(), images, y->value);
  if (!records) return y;
  tape.record("affine_sample", [&tape, images, theta, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    const Shape& s = images.shape();
    Tensor dtheta = detail::gradient_like(tape, *theta, "affine_sample gradient");
    RETORT_LAUNCH(tape.context(), 0, affine_sample_backward, s.at(0), s.at(1), s.at(2), s.at(3), images.f32(),
                  theta->value.f32(), dy.f32(), dtheta.f32());
    detail::moves(tape.context(), images, dy);
    tape.deliver(theta, std::move(dtheta));
  });
  return y;
}

Var colour_filter(Tape& tape, const Tensor& images, const Var& scale_shift, const Var& weight) {
  check_images("colour_filter", images);
  const Shape& s = images.shape();
  const ColourFilterShape shape{s.at(0), s.at(1), s.at(2), s.at(3), weight->requires_grad};
  constexpr int side = ColourFilterShape::kSide;
  RETORT_CHECK(scale_shift->shape() == Shape({s[0], 2}) && weight->shape() == Shape({s[3], side, side, s[3]}),
               "colour_filter: images ", s, ", scale and shift ", scale_shift->shape(), ", weight ", weight->shape());
  const bool records = tape.records(scale_shift, weight);
  Var y = detail::result(tape, s, DType::f32, records, "colour_filter");
  const std::size_t scratch = RETORT_BACKEND(tape.context().device(), colour_filter_workspace(shape));
  RETORT_LAUNCH(tape.context(), scratch, colour_filter_forward, shape, images.f32(), scale_shift->value.f32(),
                weight->value.f32(), y->value.f32());
  detail::moves(tape.context(), images, y->value);
  if (!records) return y;
  tape.record("colour_filter", [&tape, shape, scratch, images, scale_shift, weight, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    Context& context = tape.context();
    Tensor gradient = detail::gradient_like(tape, *scale_shift, "colour_filter gradient");
    const auto launch = [&](float* dweight) {
      RETORT_LAUNCH(context, scratch, colour_filter_backward, shape, images.f32(), scale_shift->value.f32(),
                    weight->value.f32(), dy.f32(), gradient.f32(), dweight);
    };
    if (weight->requires_grad) {
      tape.write_parameter_gradient(*weight, launch);
    } else {
      launch(nullptr);
    }
    detail::moves(context, images, dy);
    tape.deliver(scale_shift, std::move(gradient));
  });
  return y;
}

Var blend(Tape& tape, const Tensor& x, const std::vector<Var>& versions, const Var& share, const ChannelMap& map,
          DType dtype) {
  const BlendShape shape = blend_shape(x, versions, share, map, dtype);
  bool records = tape.records(share);
  for (const Var& version : versions) records = records || tape.records(version);
  Var y = detail::result(tape, x.shape(), dtype, records, "blend");
  blend_into(tape.context(), y->value, x, versions, share, map);
  if (!records) return y;
  tape.record("blend", [&tape, shape, x, versions, share, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    BlendedVersions all = pointers(versions);
    std::vector<Tensor> gradients(versions.size());
    for (std::size_t k = 0; k < versions.size(); ++k) {
      if (!versions[k]->requires_grad) continue;
      gradients[k] = detail::gradient_like(tape, *versions[k], "blend gradient");
      all.dversion[k] = gradients[k].f32();
    }
    Tensor dshare = detail::gradient_like(tape, *share, "blend share gradient");
    RETORT_LAUNCH(tape.context(), 0, blend_backward, shape, all, x.f32(), share->value.f32(), dy.data(), dshare.f32());
    tape.context().count_bytes((2 + versions.size()) * x.bytes());
    for (std::size_t k = 0; k < versions.size(); ++k) {
      if (gradients[k]) tape.deliver(versions[k], std::move(gradients[k]));
    }
    if (share->requires_grad) tape.deliver(share, std::move(dshare));
  });
  return y;
}

void blend_into(Context& context, const Tensor& to, const Tensor& x, const std::vector<Var>& versions, const Var& share,
                const ChannelMap& map) {
  const BlendShape shape = blend_shape(x, versions, share, map, to.dtype());
  RETORT_CHECK(to.shape() == x.shape(), "blend: images ", x.shape(), " into ", to.shape());
  RETORT_LAUNCH(context, 0, blend_forward, shape, pointers(versions), x.f32(), share->value.f32(), to.data());
  context.count_bytes((1 + versions.size()) * x.bytes() + to.bytes());
}

}  // namespace retort
