// In place of cuDNN and cuBLASLt, where CUDA kernels run on the host: the CPU backend computes convolutions and matrix
// products, so that what Retort's own code does around them is run as well.

#include "tests/simt/libraries.h"

#include <memory>
#include <vector>

#include "kernels/cuda/convolve_fused.h"
#include "kernels/cuda/matrix_product.h"
#include "kernels/error.h"
#include "kernels/linear.h"
#include "kernels/memory.h"
#include "tests/simt/submit.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

using Floats = std::vector<float>;

Floats read(DType dtype, const void* from, std::int64_t n) {
  Floats values(static_cast<std::size_t>(n));
  if (dtype == DType::f32) {
    copy_bytes({}, values.data(), from, values.size() * sizeof(float));
    return values;
  }
  std::vector<bfloat16> narrow(values.size());
  copy_bytes({}, narrow.data(), from, narrow.size() * sizeof(bfloat16));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(narrow[i]);
  return values;
}

void write(DType dtype, void* to, const Floats& values) {
  if (dtype == DType::f32) return copy_bytes({}, to, values.data(), values.size() * sizeof(float));
  std::vector<bfloat16> narrow;
  for (const float value : values) narrow.emplace_back(value);
  copy_bytes({}, to, narrow.data(), narrow.size() * sizeof(bfloat16));
}

/// Some bytes, so that callers that forget to pass the workspace on are found out.
constexpr std::size_t kWorkspace = 512;

void use_workspace(const Launch& at, std::size_t wanted) {
  RETORT_CHECK(at.workspace != nullptr && at.workspace_bytes >= wanted, "a library got ", at.workspace_bytes,
               " bytes of workspace and asked for ", wanted);
  fill_zero({}, at.workspace, wanted);
}

/// bf16 operands are multiplied as floats and the result is rounded, as tensor cores do.
void convolve_now(const Conv2dShape& shape, ConvolutionPass pass, const void* a, const void* b, void* c) {
  Conv2dShape s = shape;
  s.dtype = DType::f32;
  const std::int64_t x = std::int64_t{s.batch} * s.height * s.width * s.in_channels;
  const std::int64_t w = std::int64_t{s.out_channels} * s.kernel_h * s.kernel_w * s.in_channels;
  const std::int64_t y = std::int64_t{s.batch} * s.out_height() * s.out_width() * s.out_channels;
  std::vector<std::byte> scratch(cpu::conv2d_workspace(s, pass, Precision::fp32) + 256);
  void* aligned = scratch.data();
  std::size_t room = scratch.size();
  std::align(256, scratch.size() - 256, aligned, room);
  const Launch host{nullptr, aligned, room, Precision::fp32};
  Floats result;
  if (pass == ConvolutionPass::forward) {
    result.resize(static_cast<std::size_t>(y));
    cpu::conv2d_forward(host, s, read(shape.dtype, a, x).data(), read(shape.dtype, b, w).data(), nullptr,
                        result.data());
  } else if (pass == ConvolutionPass::backward_data) {
    result.resize(static_cast<std::size_t>(x));
    cpu::conv2d_backward_data(host, s, read(shape.dtype, a, y).data(), read(shape.dtype, b, w).data(), result.data());
  } else {
    result.resize(static_cast<std::size_t>(w));
    cpu::conv2d_backward_filter(host, s, read(shape.dtype, a, x).data(), read(shape.dtype, b, y).data(), result.data(),
                                nullptr);
  }
  write(shape.dtype, c, result);
}

void convolve_fused_now(const FusedConvolution& shape, const void* a, const void* b, const void* bias,
                        const void* residual, void* c) {
  FusedConvolution s = shape;
  s.conv.dtype = DType::f32;
  const DType dtype = shape.conv.dtype;
  const std::int64_t x = std::int64_t{s.conv.batch} * s.conv.height * s.conv.width * s.conv.in_channels;
  const std::int64_t w = std::int64_t{s.conv.out_channels} * s.conv.kernel_h * s.conv.kernel_w * s.conv.in_channels;
  const std::int64_t y = std::int64_t{s.conv.batch} * s.conv.out_height() * s.conv.out_width() * s.conv.out_channels;
  std::vector<std::byte> scratch(cpu::fused_convolution_workspace(s, Precision::fp32));
  const Launch host{nullptr, scratch.data(), scratch.size(), Precision::fp32};
  const Floats added = s.residual ? read(dtype, residual, y) : Floats();
  Floats result(static_cast<std::size_t>(y));
  cpu::fused_convolution(host, s, read(dtype, a, x).data(), read(dtype, b, w).data(),
                         read(dtype, bias, s.conv.out_channels).data(), added.data(), result.data());
  write(dtype, c, result);
}

void multiply_now(const MatrixProduct& p, const float* a, const float* b, const float* bias, float* c) {
  const Floats left = read(DType::f32, a, std::int64_t{p.m} * p.k);
  const Floats right = read(DType::f32, b, std::int64_t{p.k} * p.n);
  const Floats offset = bias == nullptr ? Floats(static_cast<std::size_t>(p.n)) : read(DType::f32, bias, p.n);
  Floats result(static_cast<std::size_t>(std::int64_t{p.m} * p.n));
#pragma omp parallel for
  for (int i = 0; i < p.m; ++i) {
    for (int j = 0; j < p.n; ++j) {
      double sum = 0;
      for (int k = 0; k < p.k; ++k) {
        const std::int64_t at_a = p.transpose_a ? std::int64_t{k} * p.m + i : std::int64_t{i} * p.k + k;
        const std::int64_t at_b = p.transpose_b ? std::int64_t{j} * p.k + k : std::int64_t{k} * p.n + j;
        sum += static_cast<double>(left[static_cast<std::size_t>(at_a)]) * right[static_cast<std::size_t>(at_b)];
      }
      result[static_cast<std::size_t>(std::int64_t{i} * p.n + j)] =
          static_cast<float>(sum) + offset[static_cast<std::size_t>(j)];
    }
  }
  write(DType::f32, c, result);
}

}  // namespace

void submit_convolution(const Launch& at, const Conv2dShape& shape, ConvolutionPass pass, std::size_t workspace,
                        const void* a, const void* b, void* c, const std::function<void()>& then) {
  static constexpr const char* names[] = {"convolution forward", "convolution data gradient",
                                          "convolution filter gradient"};
  ::simt::submit(at.stream, names[static_cast<int>(pass)], [=] {
    use_workspace(at, workspace);
    convolve_now(shape, pass, a, b, c);
    then();
  });
}

/// Not everything, so that the other way is gone as well.
bool fuses(const FusedConvolution& shape, Precision) {
  return shape.conv.in_channels % 4 == 0;
}

std::size_t convolve_fused_workspace(const FusedConvolution&, Precision) {
  return kWorkspace;
}

void convolve_fused(const Launch& at, const FusedConvolution& shape, const void* x, const void* weight,
                    const void* bias, const void* residual, void* y) {
  ::simt::submit(at.stream, "fused convolution", [=] {
    use_workspace(at, kWorkspace);
    convolve_fused_now(shape, x, weight, bias, residual, y);
  });
}

std::size_t multiply_workspace() {
  return kWorkspace;
}

void multiply(const Launch& at, const MatrixProduct& p, const float* a, const float* b, const float* bias, float* c) {
  ::simt::submit(at.stream, "matrix product", [=] {
    use_workspace(at, kWorkspace);
    multiply_now(p, a, b, bias, c);
  });
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
