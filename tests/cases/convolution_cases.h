// THE convolutions every backend, gradient check and benchmark runs.
#pragma once

#include <string>
#include <vector>

#include "kernels/fused_convolution.h"
#include "kernels/linear.h"

namespace retort::cases {

struct ConvolutionCase {
  std::string id;
  Conv2dShape shape;
  bool bias = false;
};

struct FusedConvolutionCase {
  std::string id;
  FusedConvolution shape;
};

struct LinearCase {
  std::string id;
  LinearShape shape;
  bool bias = true;
};

inline std::string name_of(const Conv2dShape& s, bool bias) {
  const auto n = [](int value) { return std::to_string(value); };
  return "n" + n(s.batch) + " " + n(s.height) + "x" + n(s.width) + "x" + n(s.in_channels) + " to " + n(s.out_channels) +
         " k" + n(s.kernel_h) + "x" + n(s.kernel_w) + " s" + n(s.stride) + " p" + n(s.padding) + (bias ? " bias" : "") +
         (s.dtype == DType::bf16 ? " bf16" : " f32");
}

/// Small enough to be differentiated numerically.
inline std::vector<ConvolutionCase> tiny_convolution_cases() {
  std::vector<ConvolutionCase> cases;
  for (const Conv2dShape& s : {Conv2dShape{2, 4, 5, 3, 2, 3, 3, 1, 1}, Conv2dShape{1, 5, 5, 2, 3, 3, 3, 2, 1},
                               Conv2dShape{2, 4, 4, 3, 2, 1, 1, 2, 0}, Conv2dShape{1, 6, 5, 2, 2, 5, 5, 1, 2},
                               Conv2dShape{1, 4, 4, 1, 2, 2, 3, 1, 0}}) {
    cases.push_back({name_of(s, true), s, true});
  }
  return cases;
}

/// Every kernel size, stride, padding and batch against odd and even channels, in both types.
inline std::vector<ConvolutionCase> convolution_cases() {
  std::vector<ConvolutionCase> cases;
  const auto push = [&cases](Conv2dShape s) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      s.dtype = dtype;
      const bool bias = cases.size() % 4 < 2;
      cases.push_back({name_of(s, bias), s, bias});
    }
  };
  const int channels[][2] = {{1, 1}, {3, 5}, {7, 16}, {16, 33}, {4, 8}};
  int turn = 0;
  for (const int kernel : {1, 3, 5})
    for (const int stride : {1, 2})
      for (const int padding : {0, 1, 2})
        for (const int batch : {1, 3, 8}) {
          const int* c = channels[turn++ % 5];
          push({batch, 9, 7, c[0], c[1], kernel, kernel, stride, padding});
        }
  push({2, 8, 10, 3, 4, 1, 3, 1, 1});     // not a square kernel
  push({1, 3, 3, 2, 2, 3, 3, 1, 0});      // one output pixel
  push({1, 1, 1, 5, 7, 1, 1, 1, 0});      // one pixel in all
  push({2, 8, 8, 4, 4, 3, 3, 2, 1});      // the last row and column of the padding are never read
  push({2, 7, 7, 4, 4, 2, 2, 2, 0});      // the last row and column of the image are never read
  push({2, 9, 9, 3, 4, 3, 3, 3, 1});      // stride 3
  push({2, 32, 32, 3, 16, 3, 3, 1, 1});   // first layer of the CIFAR networks
  push({2, 16, 16, 16, 32, 3, 3, 2, 1});  // first layer of their second stage
  push({2, 16, 16, 16, 32, 1, 1, 2, 0});  // its shortcut
  push({2, 8, 8, 64, 64, 3, 3, 1, 1});    // inner layer of the third stage
  push({1, 8, 8, 160, 40, 3, 3, 1, 1});   // wide
  push({3, 9, 12, 32, 48, 3, 3, 1, 1});   // channels in blocks of 16, an odd number of rows
  return cases;
}

/// 3x3 convolutions of blocks of 16 channels: images of a pixel, odd and even ones, ones larger than a group of tiles.
inline std::vector<ConvolutionCase> winograd_cases() {
  std::vector<ConvolutionCase> cases;
  const int sizes[][2] = {{1, 1}, {2, 2}, {3, 3}, {5, 5}, {1, 8}, {7, 1}, {2, 5}, {9, 2}, {8, 8}, {6, 11}};
  const int channels[][2] = {{16, 16}, {32, 16}, {16, 48}, {48, 32}, {64, 64}, {96, 80}};
  int turn = 0;
  for (const int* size : sizes)
    for (const int batch : {1, 3})
      for (int i = 0; i < 2; ++i) {
        const int* c = channels[turn++ % 6];
        const Conv2dShape s{batch, size[0], size[1], c[0], c[1], 3, 3, 1, 1};
        cases.push_back({name_of(s, turn % 3 != 0), s, turn % 3 != 0});
      }
  for (const Conv2dShape& s : {Conv2dShape{2, 32, 32, 16, 16, 3, 3, 1, 1}, Conv2dShape{1, 16, 16, 32, 256, 3, 3, 1, 1},
                               Conv2dShape{5, 7, 13, 256, 16, 3, 3, 1, 1}}) {
    cases.push_back({name_of(s, true), s, true});
  }
  return cases;
}

/// Convolutions with what follows them: neighbouring ones differ in residual and ReLU.
inline std::vector<FusedConvolutionCase> fused_cases(const std::vector<ConvolutionCase>& convolutions) {
  std::vector<FusedConvolutionCase> cases;
  for (const ConvolutionCase& c : convolutions) {
    // Both types of a shape in turn come with every combination: the list goes f32, bf16, f32, ...
    const std::size_t turn = c.shape.dtype == DType::bf16 ? cases.size() / 2 + 1 : cases.size() / 2;
    const FusedConvolution shape{c.shape, turn % 2 == 0, turn / 2 % 2 == 0};
    cases.push_back(
        {name_of(c.shape, true) + (shape.residual ? " residual" : "") + (shape.relu ? " relu" : ""), shape});
  }
  return cases;
}

inline std::vector<LinearCase> linear_cases() {
  std::vector<LinearCase> cases;
  for (const int batch : {1, 3, 8, 128})
    for (const LinearShape& s : {LinearShape{0, 1, 1}, LinearShape{0, 3, 2}, LinearShape{0, 64, 10},
                                 LinearShape{0, 33, 100}, LinearShape{0, 257, 19}, LinearShape{0, 640, 100}}) {
      const bool bias = cases.size() % 3 != 2;
      cases.push_back({"n" + std::to_string(batch) + " " + std::to_string(s.in_features) + " to " +
                           std::to_string(s.out_features) + (bias ? " bias" : ""),
                       {batch, s.in_features, s.out_features},
                       bias});
    }
  return cases;
}

}  // namespace retort::cases
