// TST's augmentation module (arXiv:2212.05422): 14 operations, each with a probability, 11 of them with a strength,
// which are all that is trained: 25 scalars. A batch gets four operations, each applied to the original images, and
// their sum:
//
//     x' = x + sum_k share_k (T_k(x; strength_k) - x)
//
// with the draws of kernels/transform_draws.h, encoders for T_k (encoders.h), and equalize, invert and cutout as they
// are. Images are numbers in [0, 1] before normalisation; x' is not cut off at those [choice].
#pragma once

#include <vector>

#include "distill/tst/encoders.h"
#include "engine/image_ops.h"
#include "engine/transforms.h"

namespace retort {

class LearnedTransforms {
 public:
  static constexpr int kPerBatch = 4;

  /// Encoders that are frozen. random_strength: an ablation; strengths are drawn instead of trained.
  LearnedTransforms(Context& context, Encoders encoders, bool random_strength);

  /// The 25: `probabilities` (14) and `magnitudes` (11), before their sigmoids; 0 at first.
  ParameterStore& scalars() { return scalars_; }
  const ParameterStore& scalars() const { return scalars_; }

  /// Decides which four operations the next batch gets.
  void choose(std::uint32_t seed, std::uint32_t epoch, std::int64_t batch);
  /// Those that are given instead, for tests and for measuring memory.
  void choose(const std::vector<Operation>& operations);

  /// Their names: "rotate, invert, ...".
  std::string chosen() const;

  /// The images under each of them, and shares. Gradients to the scalars.
  struct Versions {
    std::vector<Var> images;  ///< each (N, H, W, C) f32
    Var share;                ///< (count, N)
  };
  Versions versions(Tape& tape, const Tensor& images, const StepState* state) const;

  /// The scalars and their momentum, in a run's checkpoint.
  void add_to(TensorFile& file) const;
  /// Throws Error(input) for a file without them.
  void read(const TensorFile& file, const std::string& path);

  /// For logs: sigmoid of the magnitudes, and the chance that a draw is nearer to 1 than to 0.
  std::vector<double> strengths() const;
  std::vector<double> chances() const;

 private:
  Tensor fixed(Operation operation, const Tensor& images, const StepState* state) const;

  Context& context_;
  Encoders encoders_;
  ParameterStore scalars_;
  Var probabilities_, magnitudes_;
  TransformDraws draws_;
};

}  // namespace retort
