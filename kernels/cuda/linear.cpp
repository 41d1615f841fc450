#include "kernels/linear.h"

#include <algorithm>

#include "kernels/cuda/bias.h"
#include "kernels/cuda/matrix_product.h"

namespace retort::RETORT_CUDA_NAMESPACE {

std::size_t linear_workspace(const LinearShape& s) {
  return std::max(multiply_workspace(), column_sums_workspace(s.batch, s.out_features));
}

void linear_forward(const Launch& at, const LinearShape& s, const float* x, const float* weight, const float* bias,
                    float* y) {
  multiply(at, {s.batch, s.out_features, s.in_features, false, true}, x, weight, bias, y);
}

void linear_backward_data(const Launch& at, const LinearShape& s, const float* dy, const float* weight, float* dx) {
  multiply(at, {s.batch, s.in_features, s.out_features, false, false}, dy, weight, nullptr, dx);
}

void linear_backward_weight(const Launch& at, const LinearShape& s, const float* x, const float* dy, float* dweight,
                            float* dbias) {
  multiply(at, {s.out_features, s.in_features, s.batch, true, false}, dy, x, nullptr, dweight);
  if (dbias != nullptr) column_sums(at, DType::f32, s.batch, s.out_features, dy, dbias);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
