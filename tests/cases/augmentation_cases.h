// THE batches gathered from a data set.
#pragma once

#include <string>
#include <vector>

#include "kernels/augmentation.h"

namespace retort::cases {

struct AugmentCase {
  std::string id;
  AugmentShape shape;
  int data_set = 40;
};

inline std::vector<AugmentCase> augment_cases() {
  std::vector<AugmentCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const int padding : {0, 1, 4})
      for (const bool flip : {false, true})
        for (const int channels : {1, 3, 4})
          for (const int out_channels : {channels, 4, 8}) {
            if (out_channels < channels) continue;
            AugmentShape s;
            s.rows = 5 + padding + channels;
            s.height = 6 + channels;
            s.width = channels == 4 ? 16 : 7;
            s.channels = channels;
            s.out_channels = out_channels;
            s.crop_padding = padding;
            s.flip = flip;
            s.dtype = dtype;
            for (int c = 0; c < 4; ++c) {
              s.scale[c] = 0.02F / static_cast<float>(c + 1);
              s.shift[c] = -1.5F + 0.25F * static_cast<float>(c);
            }
            cases.push_back({std::to_string(s.rows) + " of " + std::to_string(s.height) + "x" +
                                 std::to_string(s.width) + "x" + std::to_string(channels) + " to " +
                                 std::to_string(out_channels) + " pad " + std::to_string(padding) +
                                 (flip ? " flip" : "") + (dtype == DType::bf16 ? " bf16" : " f32"),
                             s});
          }
  AugmentShape cifar = cases.back().shape;
  cifar.rows = 64;
  cifar.height = cifar.width = 32;
  cifar.channels = cifar.out_channels = 3;
  cifar.dtype = DType::f32;
  AugmentShape mixed = cifar;
  mixed.mix.partners = AugmentCase{}.data_set;
  for (const MixKind kind : {MixKind::mixup, MixKind::cutmix, MixKind::either})
    for (const int beta : {1, 2, 5, 8})
      for (const float share : {0.5F, 1.0F}) {
        mixed.mix.kind = kind;
        mixed.mix.beta = beta;
        mixed.mix.share = share;
        mixed.dtype = beta == 2 ? DType::bf16 : DType::f32;
        mixed.width = beta == 5 ? 7 : 32;
        mixed.rows = beta == 1 ? 64 : 9;
        const char* names[] = {"none", "mixup", "cutmix", "either"};
        cases.push_back({std::to_string(mixed.rows) + " " + names[static_cast<int>(kind)] + " beta " + std::to_string(beta) +
                             " share " + std::to_string(share).substr(0, 3),
                         mixed});
      }
  cases.push_back({"64 of 32x32x3 pad 4 flip f32", cifar});
  return cases;
}

}  // namespace retort::cases
