// A network as an ONNX model (onnx.ai, operator set 13): input `images` [N, C, H, W] float32, output `logits`
// [N, classes], N open. The graph is the network's own forward pass in evaluation mode; a network that is folded
// (Network::fold) gives convolutions with bias instead of batch norms. Initialisers have the names of Retort's
// checkpoints, and their logical shapes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nets/network.h"

namespace retort {

struct OnnxOptions {
  /// One value a channel: the graph then begins with (images - mean) / std, and wants pixels / 255. Empty: the images
  /// are normalised already.
  std::vector<float> mean, std;
  std::map<std::string, std::string> metadata;  ///< the model's properties
  std::string producer_version;
};

/// Throws Error(usage) that names what is missing where CMake found no ONNX library (cmake/Onnx.cmake).
void require_onnx();

/// The file's bytes, of a materialised network. Begins with require_onnx().
std::string onnx_model(Network& network, const OnnxOptions& options = {});

}  // namespace retort
