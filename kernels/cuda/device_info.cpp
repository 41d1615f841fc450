#include "kernels/device_info.h"

#include <cublasLt.h>
#include <cudnn_graph.h>

#include "kernels/cuda/check.h"

namespace retort::cuda {
namespace {

constexpr int kOldest = 8;  ///< compute capability that kernels are compiled for

std::string version(std::size_t number, std::size_t per_major, std::size_t per_minor) {
  return text(number / per_major, ".", number % per_major / per_minor, ".", number % per_minor);
}

/// CUDA has no third part.
std::string cuda_version(int number) {
  return text(number / 1000, ".", number % 1000 / 10);
}

}  // namespace

bool available() noexcept {
  int number = 0;
  int major = 0;
  const bool found = cudaGetDevice(&number) == cudaSuccess &&
                     cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, number) == cudaSuccess;
  cudaGetLastError();
  return found && major >= kOldest;
}

DeviceInfo device_info() {
  int number = 0;
  int driver = 0;
  int runtime = 0;
  cudaDeviceProp device{};
  RETORT_CUDA_CALL(cudaDriverGetVersion(&driver));
  RETORT_CUDA_CALL(cudaGetDevice(&number));
  RETORT_CUDA_CALL(cudaGetDeviceProperties(&device, number));
  RETORT_CUDA_CALL(cudaRuntimeGetVersion(&runtime));
  RETORT_CHECK_AS(ErrorKind::device, device.major >= kOldest, device.name, " has compute capability ", device.major,
                  ".", device.minor, "; needed is ", kOldest, ".0 (Ampere) or later");
  DeviceInfo info;
  info.name = device.name;
  info.capability = text(device.major, ".", device.minor);
  info.multiprocessors = device.multiProcessorCount;
  info.memory_bytes = device.totalGlobalMem;
  info.driver = cuda_version(driver);
  info.runtime = cuda_version(runtime);
  info.cudnn = version(cudnnGetVersion(), 10000, 100);
  info.cublaslt = version(cublasLtGetVersion(), 10000, 100);
  return info;
}

}  // namespace retort::cuda
