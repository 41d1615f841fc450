// TST's first stage (arXiv:2212.05422): an encoder learns to imitate the real operation on images of the data set, at
// strengths in ten steps, by mean squared error.
#pragma once

#include <functional>

#include "data/dataset.h"
#include "distill/tst/encoders.h"

namespace retort {

/// The published settings. Training ends early where the decay has left nothing of the rate.
struct ImitationOptions {
  int batch = 64;
  double learning_rate = 1e-3, decay = 0.999;  ///< AdamW's, and what is left of it after each step
  double geometric_epochs = 10, colour_epochs = 20;
  std::uint32_t seed = 1;
};

/// Mean squared errors over all strengths, of numbers in [0, 1], without the encoder's noise.
struct ImitationError {
  double encoder = 0;
  double unchanged = 0;  ///< of the images as they are
  double share() const { return unchanged > 0 ? encoder / unchanged : 0; }
};

/// Trains the encoder from where it begins; `after_step(done, all)` may be empty. The images' pixels are enough: labels
/// and normalisation do not matter.
void imitate(Context& context, Encoder& encoder, const Dataset& data, const ImitationOptions& options,
             const std::function<void(int, int)>& after_step);

/// On the first `images` of the split.
ImitationError imitation_error(Context& context, const Encoder& encoder, const Dataset& data, const ImageSplit& split,
                               int images);

}  // namespace retort
