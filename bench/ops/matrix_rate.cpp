#include "bench/ops/matrix_rate.h"

#include <cublasLt.h>

#include <algorithm>
#include <vector>

#include "engine/device_memory.h"
#include "kernels/error.h"
#include "kernels/timing.h"

namespace retort::bench {
namespace {

constexpr int n = 8192;  // large enough that its edges and its start do not count
constexpr std::size_t workspace_bytes = std::size_t{64} << 20;
constexpr int algorithms = 8;

void check(cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) fail(ErrorKind::device, text("cuBLASLt: ", cublasLtGetStatusString(status)));
}

}  // namespace

double cublaslt_bf16_flops() {
  constexpr std::size_t bytes = sizeof(bfloat16) * n * n;
  const DeviceBlock a(Device::cuda, bytes), b(Device::cuda, bytes), c(Device::cuda, bytes),
      workspace(Device::cuda, workspace_bytes);
  // Numbers as in a network: products of zeros take less power, and run at a higher clock.
  std::vector<bfloat16> numbers(std::size_t{n} * n);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = bfloat16(static_cast<float>((i * 2654435761U >> 8) % 1024) / 512 - 1);
  for (const DeviceBlock* operand : {&a, &b}) cuda::copy_bytes({}, operand->data(), numbers.data(), bytes);
  cuda::fill_zero({}, c.data(), bytes);

  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t square = nullptr;
  cublasLtMatmulPreference_t preference = nullptr;
  check(cublasLtCreate(&handle));
  check(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  const cublasOperation_t transposed = CUBLAS_OP_T;  // sums along rows of both, which is what tensor cores like best
  check(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed));
  check(cublasLtMatrixLayoutCreate(&square, CUDA_R_16BF, n, n, n));
  check(cublasLtMatmulPreferenceCreate(&preference));
  check(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace_bytes,
                                             sizeof workspace_bytes));
  std::vector<cublasLtMatmulHeuristicResult_t> proposed(algorithms);
  int found = 0;
  check(cublasLtMatmulAlgoGetHeuristic(handle, operation, square, square, square, square, preference, algorithms,
                                       proposed.data(), &found));
  double best = 0;
  for (int i = 0; i < found; ++i) {
    const float one = 1;
    const float zero = 0;
    for (int repetition = 0; repetition < 4; ++repetition) {
      void* begin = cuda::make_mark({});
      const cublasStatus_t status = cublasLtMatmul(
          handle, operation, &one, a.data(), square, b.data(), square, &zero, c.data(), square, c.data(), square,
          &proposed[static_cast<std::size_t>(i)].algo, workspace.data(), workspace_bytes, nullptr);
      void* end = cuda::make_mark({});
      const double seconds = cuda::seconds_between(begin, end);
      cuda::release_mark(begin);
      cuda::release_mark(end);
      check(status);
      if (repetition > 0) best = std::max(best, 2.0 * n * n * n / seconds);
    }
  }
  check(cublasLtMatmulPreferenceDestroy(preference));
  check(cublasLtMatrixLayoutDestroy(square));
  check(cublasLtMatmulDescDestroy(operation));
  check(cublasLtDestroy(handle));
  return best;
}

}  // namespace retort::bench
