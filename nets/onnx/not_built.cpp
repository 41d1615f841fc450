// In place of model.cpp where CMake found no ONNX library.
#include "kernels/error.h"
#include "nets/onnx/model.h"

namespace retort {

void require_onnx() {
  fail(ErrorKind::usage,
       "this program was built without ONNX: install libonnx-dev and libprotobuf-dev, and build again");
}

std::string onnx_model(Network&, const OnnxOptions&) {
  require_onnx();
  return {};
}

}  // namespace retort
