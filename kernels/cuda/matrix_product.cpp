// cuBLASLt computes matrix products. Algorithms are chosen once by its heuristics and kept.
#include "kernels/cuda/matrix_product.h"

#include <cublasLt.h>

#include <map>
#include <mutex>
#include <tuple>

#include "kernels/error.h"

namespace retort::cuda {
namespace {

constexpr std::size_t kWorkspace = std::size_t{32} << 20;  // what NVIDIA recommends for Hopper
constexpr std::uint32_t kAlignment = 16;                   // of every operand

void check_cublas(cublasStatus_t status, const MatrixProduct& p, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  fail(status == CUBLAS_STATUS_ALLOC_FAILED ? ErrorKind::memory : ErrorKind::device,
       text("cuBLASLt: ", what, ": ", cublasLtGetStatusString(status), ", product of (", p.m, ", ", p.k, ") and (", p.k,
            ", ", p.n, ")"));
}

/// It lives as long as the process: destroying it after the driver's own end would fail.
cublasLtHandle_t handle() {
  static cublasLtHandle_t made = [] {
    cublasLtHandle_t h = nullptr;
    check_cublas(cublasLtCreate(&h), {}, "cublasLtCreate");
    return h;
  }();
  return made;
}

/// cuBLAS stores columns: a row-major matrix is its own transpose there. So c^T = b^T a^T is computed, b coming first.
struct Recipe {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t first = nullptr, second = nullptr, result = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
};

Recipe make_recipe(const MatrixProduct& p, bool bias, Precision precision) {
  Recipe r;
  const auto check = [&p](cublasStatus_t status) { check_cublas(status, p, "describing a product"); };
  const auto set = [&](cublasLtMatmulDescAttributes_t name, auto value) {
    check(cublasLtMatmulDescSetAttribute(r.operation, name, &value, sizeof value));
  };
  check(cublasLtMatmulDescCreate(
      &r.operation, precision == Precision::fp32 ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F));
  set(CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
  if (bias) set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
  const auto layout = [&](cublasLtMatrixLayout_t* made, int rows, int columns) {
    check(cublasLtMatrixLayoutCreate(made, CUDA_R_32F, static_cast<std::uint64_t>(columns),
                                     static_cast<std::uint64_t>(rows), columns));
  };
  layout(&r.first, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n);
  layout(&r.second, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k);
  layout(&r.result, p.m, p.n);

  cublasLtMatmulPreference_t preference = nullptr;
  check(cublasLtMatmulPreferenceCreate(&preference));
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t name, auto value) {
    check(cublasLtMatmulPreferenceSetAttribute(preference, name, &value, sizeof value));
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspace);
  // Parts of a sum that is split are added in a fixed order.
  prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
         static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, kAlignment);
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, kAlignment);
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, kAlignment);
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, kAlignment);
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle(), r.operation, r.first, r.second, r.result,
                                                               r.result, preference, 1, &best, &found);
  cublasLtMatmulPreferenceDestroy(preference);
  check_cublas(status, p, "choosing an algorithm");
  check_cublas(found == 1 ? best.state : CUBLAS_STATUS_NOT_SUPPORTED, p, "choosing an algorithm");
  r.algorithm = best.algo;
  return r;
}

Recipe& recipe_of(const MatrixProduct& p, bool bias, Precision precision) {
  static auto* const recipes = new std::map<std::tuple<MatrixProduct, bool, Precision>, Recipe>;
  if (precision == Precision::bf16) precision = Precision::tf32;
  const auto key = std::tuple(p, bias, precision);
  const auto known = recipes->find(key);
  if (known != recipes->end()) return known->second;
  return recipes->emplace(key, make_recipe(p, bias, precision)).first->second;
}

}  // namespace

std::size_t multiply_workspace() {
  handle();  // it takes memory of its own, which has to be gone before anybody asks how much there is
  return kWorkspace;
}

void multiply(const Launch& at, const MatrixProduct& p, const float* a, const float* b, const float* bias, float* c) {
  static std::mutex mutex;  // the operation holds the bias's address
  const std::lock_guard lock(mutex);
  Recipe& r = recipe_of(p, bias != nullptr, at.precision);
  if (bias != nullptr) {
    check_cublas(cublasLtMatmulDescSetAttribute(r.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias), p,
                 "bias");
  }
  const float one = 1;
  const float zero = 0;
  check_cublas(cublasLtMatmul(handle(), r.operation, &one, b, r.first, a, r.second, &zero, c, r.result, c, r.result,
                              &r.algorithm, at.workspace, at.workspace_bytes, static_cast<cudaStream_t>(at.stream)),
               p, "product");
}

}  // namespace retort::cuda
