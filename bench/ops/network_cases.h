// The layers of real networks in the words of the tests' case tables: batch 128, as the recipes have it.
#pragma once

#include <string>
#include <vector>

#include "tests/cases/augmentation_cases.h"
#include "tests/cases/batch_norm_cases.h"
#include "tests/cases/convolution_cases.h"
#include "tests/cases/elementwise_cases.h"
#include "tests/cases/loss_cases.h"
#include "tests/cases/optimizer_cases.h"
#include "tests/cases/pooling_cases.h"

namespace retort::bench {

constexpr int network_batch = 128;
constexpr int stem_channels = 16;
constexpr DType float_types[] = {DType::f32, DType::bf16};

/// Networks for 32x32 images, of three stages whose width doubles where the image halves.
struct ThreeStages {
  const char* name;
  int width;          ///< of the first stage
  bool preactivated;  ///< batch norm before the convolutions, and of sums (wide ResNets)
  int parameters;     ///< for 100 classes
  int buffers;        ///< batch-norm statistics
};
constexpr ThreeStages three_stage_networks[] = {{"resnet20", 16, false, 278324, 1589},
                                                {"wrn-16-2", 32, true, 703284, 1837}};
constexpr int lenet5_parameters = 61706;

inline std::vector<cases::ConvolutionCase> network_convolutions() {
  std::vector<cases::ConvolutionCase> all;
  const auto push = [&all](const std::string& net, Conv2dShape s, bool bias = false) {
    for (const DType dtype : float_types) {
      s.dtype = dtype;
      all.push_back({net + " " + cases::name_of(s, bias), s, bias});
    }
  };
  constexpr int n = network_batch;
  for (const ThreeStages& net : three_stage_networks) {
    push(net.name, {n, 32, 32, 3, stem_channels, 3, 3, 1, 1});
    int in = stem_channels, size = 32;
    for (int stage = 0; stage < 3; ++stage) {
      const int out = net.width << stage, stride = stage == 0 ? 1 : 2;
      if (in != out) {
        push(net.name, {n, size, size, in, out, 3, 3, stride, 1});
        push(net.name, {n, size, size, in, out, 1, 1, stride, 0});
      }
      size /= stride;
      push(net.name, {n, size, size, out, out, 3, 3, 1, 1});
      in = out;
    }
  }
  push("lenet5", {n, 28, 28, 1, 6, 5, 5, 1, 2}, true);
  push("lenet5", {n, 14, 14, 6, 16, 5, 5, 1, 0}, true);
  return all;
}

inline std::vector<cases::LinearCase> network_linears() {
  const auto layer = [](const std::string& net, int in, int out) {
    return cases::LinearCase{
        net + " n" + std::to_string(network_batch) + " " + std::to_string(in) + " to " + std::to_string(out) + " bias",
        {network_batch, in, out},
        true};
  };
  return {layer("resnet20", 64, 100), layer("wrn-16-2", 128, 100), layer("lenet5", 400, 120), layer("lenet5", 120, 84),
          layer("lenet5", 84, 10)};
}

/// Each stage's batch norms in training, and the first stage's in evaluation (a teacher's forward pass).
inline std::vector<cases::BatchNormCase> network_batch_norms() {
  std::vector<cases::BatchNormCase> all;
  const auto push = [&all](const ThreeStages& net, int stage, DType dtype, cases::BatchNormCase c) {
    const int size = 32 >> stage;
    c.shape = cases::batch_norm_shape(std::int64_t{network_batch} * size * size, net.width << stage, dtype, true);
    for (const bool training : {true, false}) {
      c.training = training;
      c.id = std::string(net.name) + " " + cases::name_of(c);
      if (training || stage == 0) all.push_back(c);
    }
  };
  cases::BatchNormCase alone;
  cases::BatchNormCase end_of_block;  // its result goes to the next block and around it
  end_of_block.residual = end_of_block.dresidual = end_of_block.dy2 = true;
  cases::BatchNormCase start_of_block;  // of a sum that is also passed around the block
  start_of_block.x2 = start_of_block.addend = true;
  for (const ThreeStages& net : three_stage_networks)
    for (int stage = 0; stage < 3; ++stage)
      for (const DType dtype : float_types) {
        push(net, stage, dtype, alone);
        push(net, stage, dtype, net.preactivated ? start_of_block : end_of_block);
      }
  return all;
}

inline std::vector<cases::PoolingCase> network_poolings() {
  std::vector<cases::PoolingCase> all;
  const auto push = [&all](const std::string& net, int size, int channels) {
    for (const DType dtype : float_types) {
      const Pool2dShape s{network_batch, size, size, channels, 2, 2, dtype};
      all.push_back({net + " n" + std::to_string(s.batch) + " " + std::to_string(size) + "x" + std::to_string(size) +
                         "x" + std::to_string(channels) + " k2 s2",
                     s});
    }
  };
  push("lenet5", 28, 6);
  push("lenet5", 10, 16);
  push("vgg8", 32, 64);
  push("vgg8", 16, 128);
  return all;
}

inline std::vector<cases::GlobalPoolingCase> network_global_poolings() {
  std::vector<cases::GlobalPoolingCase> all;
  for (const ThreeStages& net : three_stage_networks)
    for (const DType dtype : float_types) {
      const int channels = net.width * 4;
      all.push_back({std::string(net.name) + " n" + std::to_string(network_batch) + " 64 positions of " +
                         std::to_string(channels),
                     network_batch, 64, channels, dtype});
    }
  return all;
}

/// Activations: the largest of each network, and LeNet's last hidden layer.
inline std::vector<cases::ElementwiseCase> network_elementwise() {
  std::vector<cases::ElementwiseCase> all;
  for (const DType dtype : float_types) {
    for (const ThreeStages& net : three_stage_networks) {
      const std::int64_t n = std::int64_t{network_batch} * 32 * 32 * net.width;
      all.push_back({std::string(net.name) + " stage1 " + std::to_string(n), n, dtype});
    }
    all.push_back({"lenet5 pool1 " + std::to_string(network_batch * 14 * 14 * 6), network_batch * 14 * 14 * 6, dtype});
    all.push_back({"lenet5 fc2 " + std::to_string(network_batch * 84), network_batch * 84, dtype});
  }
  return all;
}

inline std::vector<cases::DropoutCase> network_dropouts() {
  std::vector<cases::DropoutCase> all;
  for (const DType dtype : float_types)
    all.push_back({"128 rows of 16384 p 0.3", network_batch, 16384, 0.3F, 0, dtype});
  return all;
}

inline std::vector<cases::LossCase> network_losses() {
  std::vector<cases::LossCase> all;
  for (const int classes : {10, 100, 1000})
    for (const bool regulated : {false, true}) {
      cases::LossCase c;
      c.rows = network_batch;
      c.classes = classes;
      c.rule.participation = regulated ? Participation::regulated : Participation::all;
      c.divisor = network_batch;
      c.id = std::to_string(c.rows) + " rows of " + std::to_string(classes) + (regulated ? " regulated" : " all");
      all.push_back(c);
      c.scoring_only = true;
      c.id += " scoring";
      if (regulated) all.push_back(c);
    }
  return all;
}

inline std::vector<cases::OptimizerCase> network_optimizers() {
  std::vector<cases::OptimizerCase> all;
  const auto push = [&all](const std::string& net, std::int64_t n) {
    for (const DType dtype : float_types) {
      cases::OptimizerCase c;
      c.n = n;
      c.gradient = dtype;
      c.nesterov = true;
      c.copy = dtype == DType::bf16;
      c.id = net + " " + std::to_string(n) + " nesterov" + (c.copy ? " copy" : "");
      all.push_back(c);
    }
  };
  for (const ThreeStages& net : three_stage_networks) push(net.name, net.parameters);
  push("lenet5", lenet5_parameters);
  return all;
}

inline std::vector<cases::AugmentCase> network_augmentations() {
  std::vector<cases::AugmentCase> all;
  const auto push = [&all](const std::string& id, int size, int channels, int padding, bool flip,
                           MixKind mix = MixKind::none) {
    for (const DType dtype : float_types) {
      AugmentShape s;
      s.rows = network_batch;
      s.height = s.width = size;
      s.channels = s.out_channels = channels;
      s.crop_padding = padding;
      s.flip = flip;
      s.dtype = dtype;
      s.mix = {mix, 1, 1, 10000};
      all.push_back({id, s, 10000});
    }
  };
  push("mnist n128 28x28x1", 28, 1, 0, false);
  push("cifar n128 32x32x3 pad 4 flip", 32, 3, 4, true);
  push("cifar n128 32x32x3 pad 4 flip mixup", 32, 3, 4, true, MixKind::mixup);
  push("cifar n128 32x32x3 pad 4 flip cutmix", 32, 3, 4, true, MixKind::cutmix);
  return all;
}

}  // namespace retort::bench
