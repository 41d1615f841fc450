// The GPU in use and the libraries that drive it.
#pragma once

#include <cstddef>
#include <string>

namespace retort {

struct DeviceInfo {
  std::string name;        ///< as its maker calls it
  std::string capability;  ///< compute capability, "9.0"
  int multiprocessors = 0;
  std::size_t memory_bytes = 0;
  std::string driver, runtime;  ///< CUDA versions, "13.0"
  std::string cudnn, cublaslt;  ///< versions that are loaded, "9.19.0"

  /// What decides about the last bits of a result.
  std::string identity() const { return name + ", cuDNN " + cudnn + ", cuBLASLt " + cublaslt; }
};

namespace cuda {

/// Whether the backend is built and has a device.
bool available() noexcept;
/// Throws Error(device) where there is none.
DeviceInfo device_info();

}  // namespace cuda
}  // namespace retort
