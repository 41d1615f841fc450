// What the runner finds wrong with a kernel. A launch that finds something throws it and leaves memory as it is.
#pragma once

#include <stdexcept>
#include <string>

namespace simt {

enum class FindingKind {
  out_of_bounds,      ///< an address in no device buffer and no shared variable
  misaligned,         ///< an access that is not aligned to its size
  uninitialised,      ///< a read of bytes that nobody wrote
  race,               ///< two threads, at least one of them writing, with nothing between them that orders them
  divergent_barrier,  ///< a barrier that not all threads of the block reach together
  divergent_warp,     ///< a shuffle or vote that not all lanes of its mask reach together
  not_allowed,        ///< a launch beyond CUDA's limits, a shuffle over a width that it does not have
  order_dependence,   ///< results that change with the order in which blocks and warps run
};

class Finding : public std::runtime_error {
 public:
  Finding(FindingKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  FindingKind kind() const { return kind_; }

 private:
  FindingKind kind_;
};

}  // namespace simt
