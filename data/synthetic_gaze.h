// A built-in regression set: drawn eyes, and where they look. What MPIIGaze measures, with an uncertainty that is
// known.
#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"

namespace retort {

struct SyntheticGazeOptions {
  static constexpr int kPersons = 15;
  int train = 14'000, test = 1'000;
  int person = 0;          ///< 0..14: left out of training, and the whole test split
  std::uint32_t seed = 1;  ///< of the persons and of everything else
  float noise = 1;         ///< factor on the noise of training targets
};

/// Parses "key=value,key=value"; Error(usage) for unknown keys and values out of range.
SyntheticGazeOptions parse_synthetic_gaze(const std::string& text);

/// Standard deviation, in radians, of the noise in each angle of a training target, by how far the eye is closed
/// (ImageSplit::difficulty, in [0, 1]).
double gaze_noise_at(double closure);

/// 36x60 grey eyes; targets (N, 2): pitch and yaw of the gaze in radians; auxiliary (N, 2): pitch and yaw of the head.
/// The eye turns in the head, so its picture alone does not say where it looks. Persons differ in shape, shades, and in
/// the angle between their eye's axis and their gaze. The lid hides what noise makes up for: targets of training
/// samples are uncertain by gaze_noise_at(closure), those of test samples are true. Sample i of a split depends on
/// (seed, split, i) and the person left out.
Dataset make_synthetic_gaze(const SyntheticGazeOptions& options);

}  // namespace retort
