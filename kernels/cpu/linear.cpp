#include "kernels/linear.h"

#include <dnnl.h>

#include "kernels/error.h"

namespace retort::cpu {
namespace {

/// Row-major c (m, n) = a b, where a letter 'T' says that the operand is stored transposed.
void multiply(const LinearShape& s, char transpose_a, char transpose_b, int m, int n, int k, const float* a, int lda,
              const float* b, int ldb, float* c) {
  const dnnl_status_t status = dnnl_sgemm(transpose_a, transpose_b, m, n, k, 1.0F, a, lda, b, ldb, 0.0F, c, n);
  if (status != dnnl_success) {
    throw Error(status == dnnl_out_of_memory ? ErrorKind::memory : ErrorKind::device,
                text("oneDNN: matrix product failed (status ", static_cast<int>(status), "), linear layer of ", s.batch,
                     " x ", s.in_features, " to ", s.out_features));
  }
}

}  // namespace

std::size_t linear_workspace(const LinearShape&) {
  return 0;
}

void linear_forward(const Launch&, const LinearShape& s, const float* x, const float* weight, const float* bias,
                    float* y) {
  const int in = s.in_features, out = s.out_features;
  multiply(s, 'N', 'T', s.batch, out, in, x, in, weight, in, y);
  if (bias == nullptr) return;
  for (int n = 0; n < s.batch; ++n) {
    float* row = y + static_cast<std::size_t>(n) * out;
    for (int o = 0; o < out; ++o) row[o] += bias[o];
  }
}

void linear_backward_data(const Launch&, const LinearShape& s, const float* dy, const float* weight, float* dx) {
  multiply(s, 'N', 'N', s.batch, s.in_features, s.out_features, dy, s.out_features, weight, s.in_features, dx);
}

void linear_backward_weight(const Launch&, const LinearShape& s, const float* x, const float* dy, float* dweight,
                            float* dbias) {
  const int in = s.in_features, out = s.out_features;
  multiply(s, 'T', 'N', out, in, s.batch, dy, out, x, in, dweight);
  if (dbias == nullptr) return;
  for (int o = 0; o < out; ++o) dbias[o] = 0.0F;
  for (int n = 0; n < s.batch; ++n) {
    const float* row = dy + static_cast<std::size_t>(n) * out;
    for (int o = 0; o < out; ++o) dbias[o] += row[o];
  }
}

}  // namespace retort::cpu
