// Differentiable changes of images, for augmentations that are learned (TST, arXiv:2212.05422). Images are data:
// gradients flow to how they are changed, in f32.
#pragma once

#include <vector>

#include "engine/tape.h"
#include "kernels/blend.h"

namespace retort {

/// images (N, H, W, C) f32 under theta (N, 6): kernels/affine_sample.h. Gradient to theta.
Var affine_sample(Tape& tape, const Tensor& images, const Var& theta);

/// images (N, H, W, C) f32 with a scale and a shift for each, scale_shift (N, 2), and a 5x5 convolution of all with the
/// parameter weight (C, 5, 5, C), stored so (Layout::conv): kernels/colour_filter.h. Gradients to both.
Var colour_filter(Tape& tape, const Tensor& images, const Var& scale_shift, const Var& weight);

/// x + sum_k share_k (version_k - x) of images x (N, H, W, C) f32 and versions in the same shape, share (count, N);
/// then mapped channel by channel (kernels/blend.h) into `dtype`. Gradients to versions and share.
Var blend(Tape& tape, const Tensor& x, const std::vector<Var>& versions, const Var& share, const ChannelMap& map = {},
          DType dtype = DType::f32);
/// The same into memory that is there, without a tape.
void blend_into(Context& context, const Tensor& to, const Tensor& x, const std::vector<Var>& versions, const Var& share,
                const ChannelMap& map);

}  // namespace retort
