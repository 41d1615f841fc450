// What a step costs in multiply-accumulates, and when compact regulation pays (docs/costs.md).
#pragma once

namespace retort {

struct Cost {
  double student_forward = 0;  ///< of the network in training, one image
  double teacher_forward = 0;  ///< one image; 0 without a teacher or with cached logits

  /// Cost of a compact epoch over a conventional one at participation share f, where every sample is scored once in
  /// `rescore` epochs: (1 / rescore + f (3 + r)) / (3 + r). r = teacher / student forward; a backward pass costs two
  /// forward passes.
  double compact_share(double f, int rescore = 1) const {
    const double r = student_forward > 0 ? teacher_forward / student_forward : 0;
    return (1.0 / rescore + f * (3 + r)) / (3 + r);
  }
};

}  // namespace retort
