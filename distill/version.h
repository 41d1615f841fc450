// What this program is made of, for `retort info` and run folders.
#pragma once

#include <string>

namespace retort {

struct Versions {
  std::string retort, revision, compiler, onednn, isa;
};
Versions versions();

}  // namespace retort
