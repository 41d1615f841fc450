#include "kernels/cuda/cudnn_descriptor.h"

#include <cuda_runtime_api.h>

namespace retort::cuda {

void check_cudnn(cudnnStatus_t status, const std::string& what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  cudaGetLastError();  // else our next kernel would be blamed
  char why[512] = "";
  cudnnGetLastErrorString(why, sizeof why);
  const bool memory = status == CUDNN_STATUS_ALLOC_FAILED;
  fail(memory ? ErrorKind::memory : ErrorKind::device,
       text("cuDNN: ", what, ": ", cudnnGetErrorString(status), *why == '\0' ? "" : ", ", printable(why)));
}

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type) {
  cudnnBackendDescriptor_t raw = nullptr;
  check_cudnn(cudnnBackendCreateDescriptor(type, &raw), text("descriptor of type ", static_cast<int>(type)));
  descriptor_ = std::shared_ptr<void>(raw, [](void* p) { cudnnBackendDestroyDescriptor(p); });
}

CudnnDescriptor& CudnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                      std::int64_t count, const void* values) {
  check_cudnn(cudnnBackendSetAttribute(raw(), name, type, count, values),
              text("setting attribute ", static_cast<int>(name)));
  return *this;
}

CudnnDescriptor& CudnnDescriptor::finalize(const std::string& what) {
  check_cudnn(cudnnBackendFinalize(raw()), what);
  return *this;
}

CudnnDescriptor& CudnnDescriptor::set(cudnnBackendAttributeName_t name, const std::vector<CudnnDescriptor>& values) {
  std::vector<cudnnBackendDescriptor_t> raws;
  for (const CudnnDescriptor& value : values) raws.push_back(value.raw());
  return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(raws.size()), raws.data());
}

bool CudnnDescriptor::try_finalize(const std::string& what) {
  const cudnnStatus_t status = cudnnBackendFinalize(raw());
  if (CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED) return false;
  check_cudnn(status, what);
  return true;
}

std::int64_t CudnnDescriptor::read(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                   std::int64_t most, void* values) const {
  std::int64_t count = 0;
  check_cudnn(cudnnBackendGetAttribute(raw(), name, type, most, &count, values),
              text("reading attribute ", static_cast<int>(name)));
  return count;
}

std::int64_t CudnnDescriptor::integer(cudnnBackendAttributeName_t name) const {
  std::int64_t value = 0;
  read(name, CUDNN_TYPE_INT64, 1, &value);
  return value;
}

std::vector<CudnnDescriptor> CudnnDescriptor::descriptors(cudnnBackendAttributeName_t name,
                                                          cudnnBackendDescriptorType_t type) const {
  return descriptors(name, type, read(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr));
}

std::vector<CudnnDescriptor> CudnnDescriptor::descriptors(cudnnBackendAttributeName_t name,
                                                          cudnnBackendDescriptorType_t type, std::int64_t count) const {
  std::vector<CudnnDescriptor> out;
  std::vector<cudnnBackendDescriptor_t> raws;
  for (std::int64_t i = 0; i < count; ++i) {
    out.emplace_back(type);
    raws.push_back(out.back().raw());
  }
  const std::int64_t filled = count == 0 ? 0 : read(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, raws.data());
  out.erase(out.begin() + filled, out.end());
  return out;
}

}  // namespace retort::cuda
