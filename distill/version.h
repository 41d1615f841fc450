// What this program is made of, for `retort info` and run folders.
#pragma once

#include <string>

namespace retort {

struct Versions {
  std::string retort, revision, compiler, onednn;
  std::string isa;  ///< instruction set, and what else of the kernels decides about the last bits
};
Versions versions();

}  // namespace retort
