// A descriptor of cuDNN's graph API: an object with a type and attributes, that is finalised and then read.
#pragma once

#include <cudnn_graph.h>

#include <memory>
#include <string>
#include <vector>

#include "kernels/error.h"

namespace retort::cuda {

/// Throws Error(device) or, for memory that is not there, Error(memory), with cuDNN's own explanation.
void check_cudnn(cudnnStatus_t status, const std::string& what);

class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type);

  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                       const void* values);
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, std::int64_t value) {
    return set(name, CUDNN_TYPE_INT64, 1, &value);
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values) {
    return set(name, CUDNN_TYPE_INT64, static_cast<std::int64_t>(values.size()), values.data());
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& value) {
    const cudnnBackendDescriptor_t raw = value.raw();
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const std::vector<CudnnDescriptor>& values);
  CudnnDescriptor& finalize(const std::string& what);
  /// False where cuDNN does not support what is described, on this device or at all; other failures throw.
  bool try_finalize(const std::string& what);

  std::int64_t integer(cudnnBackendAttributeName_t name) const;
  /// An array of numbers or enumerators, of which there are at most `most`.
  template <typename T>
  std::vector<T> array(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t most) const {
    std::vector<T> values(static_cast<std::size_t>(most));
    values.resize(static_cast<std::size_t>(read(name, type, most, values.data())));
    return values;
  }
  /// An array of descriptors of one type, as many as there are.
  std::vector<CudnnDescriptor> descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type) const;
  /// The same where cuDNN does not say how many there are; there are at most `most`.
  std::vector<CudnnDescriptor> descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                                           std::int64_t most) const;

  cudnnBackendDescriptor_t raw() const { return descriptor_.get(); }

 private:
  /// How many were read.
  std::int64_t read(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t most,
                    void* values) const;

  std::shared_ptr<void> descriptor_;
};

}  // namespace retort::cuda
