// How a network's images are normalised, (pixel / 255 - mean) / std for each channel: a property of the network, so its
// checkpoint carries it. A file without it was trained as its data set says (data/dataset.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "engine/safetensors.h"
#include "kernels/error.h"

namespace retort {

struct Normalisation {
  std::vector<float> mean, std;  ///< one value a channel
  bool operator==(const Normalisation&) const = default;
};

/// Throws Error(kind) beginning with `who` unless there is a finite mean and a positive finite std for each channel.
void check_normalisation(const Normalisation& n, int channels, ErrorKind kind, const std::string& who);

Normalisation normalisation_of(const Dataset& dataset);
/// From the metadata `mean` and `std`; nothing where the file has neither. Throws Error(input) for others than numbers.
std::optional<Normalisation> normalisation_of(const TensorFile& file, const std::string& path, int channels);
/// Into the metadata, in as many digits as it takes to read the same numbers.
void add_normalisation(TensorFile& file, const Normalisation& n);

/// From now on the set's images are normalised so.
void set_normalisation(Dataset& dataset, const Normalisation& n);

/// "0.5071,0.4867,0.4408"
std::string to_text(const std::vector<float>& values);
/// "mean 0.5071,0.4867,0.4408, std 0.2675,0.2565,0.2761"
std::string to_text(const Normalisation& n);

}  // namespace retort
