// A file's tensors as those of a network: under which names they may come, and what is wrong with a file that does not
// fit.
#pragma once

#include <map>
#include <string>

#include "engine/safetensors.h"
#include "kernels/error.h"
#include "nets/network.h"

namespace retort {

/// A file that Retort wrote as a checkpoint, so under its own names.
bool is_checkpoint(const TensorFile& file);

/// The file's tensor for each parameter and buffer of the network (materialised or not), by the network's names. A
/// checkpoint has those names; in other files they may be any published ones (nets/published_names.h). Tensors under
/// retort/ are not the network's; num_batches_tracked may be missing, and belong to nobody.
/// Throws Error(input), one line that names the file and all that is missing, left over, of a wrong shape or not of
/// floating-point numbers, and the network of `retort info --nets` that the file does fit, if there is one.
std::map<std::string, const FileTensor*> match_state_dict(const TensorFile& file, const std::string& path,
                                                          const Network& network);

/// What has to be known to make a network.
struct NetworkFormat {
  std::string net;
  ImageFormat input;
  int classes = 0;
};

/// From the file's metadata or, where they do not say it, its first and last layer. `net` and `input` (height, width,
/// channels), if not empty, are the user's word, and the name counts more than the file's. The image's side is known
/// from a LeNet's tensors only; otherwise it is 32. Nothing is checked against the tensors: that is match_state_dict's.
/// Throws Error(input) where the name is nowhere, or the file was made for other images than the user says.
NetworkFormat format_of(const TensorFile& file, const std::string& path, const std::string& net,
                        const std::string& input);

/// "32x32x3". Throws Error(kind) that begins with `who`.
ImageFormat parse_image_format(const std::string& text, ErrorKind kind, const std::string& who);
std::string to_text(ImageFormat format);

}  // namespace retort
