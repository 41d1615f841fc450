// Where reported accesses go.
#pragma once

#include <cstddef>

#include "tests/simt/memory.h"

namespace simt {

/// The running thread is about to access memory, at the instruction before `site`. Does nothing outside of kernels.
/// Does not return from an access that is wrong: the launch ends.
void watch(void* address, std::size_t bytes, AccessKind kind, const void* site, bool aligned = true);

}  // namespace simt
