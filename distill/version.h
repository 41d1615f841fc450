// What this program is made of, for `retort info` and run folders.
#pragma once

#include <string>

#include "kernels/types.h"

namespace retort {

struct Versions {
  std::string retort, revision, compiler, onednn;
  std::string isa;  ///< instruction set, and what else of the kernels decides about the last bits
};
Versions versions();

/// What decides about the last bits of results on a device: the instruction set and kernels of the processor, or the GPU
/// and its libraries.
std::string arithmetic_of(Device device);

}  // namespace retort
