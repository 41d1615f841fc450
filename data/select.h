// Parts of a data set. All are deterministic: the choice depends on the seed and the number of images, nothing else.
// Each keeps every per-sample vector in step, records the published rows in ImageSplit::source, keeps the order of
// the images, and recomputes the checksum.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "kernels/philox.h"

namespace retort {

/// `chosen` of the numbers 0..n-1, ascending; Philox(seed, purpose; i) ranks number i.
std::vector<std::int32_t> choose(int n, int chosen, std::uint32_t seed, Purpose purpose);

/// The rows of `split` listed in `rows`, in that order. `image_bytes` is H * W * C.
ImageSplit take_rows(const ImageSplit& split, const std::vector<std::int32_t>& rows, std::size_t image_bytes);

/// The first n training (test) images; n of at least their number changes nothing. Error(usage) for n < 1.
void limit_train(Dataset& dataset, int n);
void limit_test(Dataset& dataset, int n);

/// A random part of the training images: "5000" (a count), "0.1" or "10%" (a share, rounded, at least one image), or
/// "20/class" (as many of each). Error(usage) if it does not parse or asks for more than there is.
void subset_train(Dataset& dataset, const std::string& amount, std::uint32_t seed);
/// How many that are, of `count` images of `classes` classes. Error(usage) likewise.
int subset_count(const std::string& amount, int count, int classes);

/// Moves n random training images into the test split and drops the published test images.
/// Error(usage) unless 0 < n < training images.
void validation_split(Dataset& dataset, int n, std::uint32_t seed);

}  // namespace retort
