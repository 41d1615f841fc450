// Networks in safetensors files, under their published state-dict names and logical shapes.
#pragma once

#include <memory>
#include <string>

#include "engine/safetensors.h"
#include "nets/network.h"

namespace retort {

/// Adds parameters and buffers (and with them, what `moments` asks for under retort/momentum/ and
/// retort/second_moment/) to a file, and net, classes and input format to its metadata.
void add_network(TensorFile& file, const Network& network, bool moments);
/// Loads all parameters and buffers, of a checkpoint or of a file under published names. Throws Error(input) that names
/// the file and the tensors that do not fit (distill/state_dict.h).
void load_network(const TensorFile& file, const std::string& path, Network& network, bool moments);

/// RUN_OR_FILE: a run folder means its last.safetensors.
std::string checkpoint_path(const std::string& run_or_file);
/// The network a checkpoint was made for, not materialised. `net` overrides the file's own word (files from elsewhere
/// have none; then classes and input are needed too).
std::unique_ptr<Network> network_of(const TensorFile& file, const std::string& path, const std::string& net,
                                    ImageFormat input, int classes);

}  // namespace retort
