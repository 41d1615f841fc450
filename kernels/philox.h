// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the only source of random
// numbers. key = (seed, purpose), counter = (sample, epoch, draw): no state to keep, the same integers on every
// device, and asking for one sample never disturbs another.
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace retort {

/// What a stream of random numbers is for. Values are part of the file format: append only.
enum class Purpose : std::uint32_t {
  initialise = 1,
  shuffle = 2,
  augment = 3,
  dropout = 4,
  random_mask = 5,
  random_subset = 6,
  synthetic = 7,
  validation_split = 8,
  label_noise = 9,
  mix = 10,
  synthetic_gaze = 11,
  transform = 12,
  transform_of_image = 13,
  encoder_noise = 14,
  cutout = 15,
  imitation = 16,
  transform_choice = 17,
};

struct Philox4 {
  std::uint32_t v[4];
};

RETORT_HOST_DEVICE inline Philox4 philox(std::uint32_t seed, Purpose purpose, std::uint64_t sample, std::uint32_t epoch,
                                         std::uint32_t draw) {
  std::uint32_t k0 = seed;
  std::uint32_t k1 = static_cast<std::uint32_t>(purpose);
  std::uint32_t c0 = static_cast<std::uint32_t>(sample);
  std::uint32_t c1 = static_cast<std::uint32_t>(sample >> 32);
  std::uint32_t c2 = epoch;
  std::uint32_t c3 = draw;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = static_cast<std::uint64_t>(0xD2511F53U) * c0;
    const std::uint64_t p1 = static_cast<std::uint64_t>(0xCD9E8D57U) * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return {{c0, c1, c2, c3}};
}

/// Uniform in [0, 1): the upper 24 bits, so the same float on every device.
RETORT_HOST_DEVICE inline float to_uniform(std::uint32_t bits) {
  return static_cast<float>(bits >> 8) * (1.0F / 16777216.0F);
}

/// Uniform integer in [0, n) by the upper half of a 32x32 product; bias below 2^-32 n.
RETORT_HOST_DEVICE inline std::uint32_t to_below(std::uint32_t bits, std::uint32_t n) {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(bits) * n) >> 32);
}

}  // namespace retort
