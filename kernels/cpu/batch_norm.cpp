// Batch normalisation: one pass over the data for the sums, one for the result. Memory bandwidth is all there is to
// win, so neither pass reads or writes anything twice.
#include "kernels/batch_norm.h"

#include <cmath>

#include "kernels/cpu/batch_norm_loops.h"
#include "kernels/cpu/batch_norm_plan.h"

namespace retort::cpu {
namespace {

template <int kRows>
using Rows = std::integral_constant<int, kRows>;

/// Cuts rows [begin, end) into groups of kRows wide rows, single wide rows, and single rows at the very end of the
/// tensor. body(Rows<n>, element, width) handles n * width elements.
template <int kRows, typename Body>
void for_groups(const BatchNormPlan& plan, std::int64_t begin, std::int64_t end, const Body& body) {
  std::int64_t row = begin;
  for (; row + kRows * plan.fold <= end; row += kRows * plan.fold) body(Rows<kRows>{}, row * plan.channels, plan.width);
  for (; row + plan.fold <= end; row += plan.fold) body(Rows<1>{}, row * plan.channels, plan.width);
  for (; row < end; ++row) body(Rows<1>{}, row * plan.channels, plan.channels);
}

/// Runs add(Rows<n>, element, width, first, second) over everything. Floats accumulate only over a block of rows; the
/// blocks, and then the chunks, are added in order in double. The two sums per channel end up in scratch.total().
template <typename Add>
void reduce(const BatchNormPlan& plan, const BatchNormScratch& scratch, const Add& add) {
  const std::int64_t block_rows = BatchNormPlan::kGroupsPerFlush * BatchNormPlan::kGroup * plan.fold;
  for_each_chunk(plan.chunks, [&](std::int64_t chunk) {
    for (int which = 0; which < 2; ++which) std::fill_n(scratch.sum(chunk, which), plan.channels, 0.0);
    for (std::int64_t row = plan.chunk_begin(chunk); row < plan.chunk_end(chunk); row += block_rows) {
      float* first = scratch.accumulator(chunk, 0);
      float* second = scratch.accumulator(chunk, 1);
      std::fill_n(first, plan.width, 0.0F);
      std::fill_n(second, plan.width, 0.0F);
      for_groups<BatchNormPlan::kGroup>(
          plan, row, std::min(plan.chunk_end(chunk), row + block_rows),
          [&](auto rows, std::int64_t at, std::int64_t width) { add(rows, at, width, first, second); });
      for (int which = 0; which < 2; ++which) {
        double* __restrict sum = scratch.sum(chunk, which);
        for (std::int64_t f = 0; f < plan.fold; ++f) {
          const float* __restrict part = scratch.accumulator(chunk, which) + f * plan.channels;
          for (std::int64_t c = 0; c < plan.channels; ++c) sum[c] += part[c];
        }
      }
    }
  });
  for (int which = 0; which < 2; ++which) {
    double* __restrict total = scratch.total(which);
    std::fill_n(total, plan.channels, 0.0);
    for (std::int64_t chunk = 0; chunk < plan.chunks; ++chunk) {
      const double* __restrict sum = scratch.sum(chunk, which);
      for (std::int64_t c = 0; c < plan.channels; ++c) total[c] += sum[c];
    }
  }
}

/// The second pass. It walks backwards, through what the first pass left in the caches.
template <typename Body>
void map(const BatchNormPlan& plan, const Body& body) {
  for_each_chunk(
      plan.chunks,
      [&](std::int64_t chunk) { for_groups<2>(plan, plan.chunk_begin(chunk), plan.chunk_end(chunk), body); },
      Walk::downwards);
}

/// Repeats the first C entries of the coefficients to the width of a wide row.
void widen_coefficients(const BatchNormPlan& plan, const BatchNormScratch& scratch) {
  for (int which = 0; which < BatchNormScratch::kCoefficients; ++which) {
    float* values = scratch.coefficient(which);
    for (std::int64_t j = plan.channels; j < plan.width; ++j) values[j] = values[j - plan.channels];
  }
}

/// A value near the mean of each channel, from a few rows spread over the tensor. Sums of squares around it lose
/// nothing to cancellation, however large the mean.
template <typename T>
void guess_mean(const BatchNormPlan& plan, const T* x, const T* x2, float* guess) {
  constexpr std::int64_t kSamples = 16;
  const std::int64_t samples = std::min(kSamples, plan.rows);
  for (std::int64_t c = 0; c < plan.channels; ++c) {
    double sum = 0;
    for (std::int64_t s = 0; s < samples; ++s) {
      const std::int64_t i = plan.rows * s / samples * plan.channels + c;
      sum += widen(x[i]);
      if (x2 != nullptr) sum += widen(x2[i]);
    }
    guess[c] = static_cast<float>(sum / static_cast<double>(samples));
  }
}

template <typename T>
void normalise_all(const BatchNormPlan& plan, const BatchNormScratch& scratch, const BatchNormShape& shape,
                   const BatchNormForward& args, const T* x, const T* x2) {
  T* sum = static_cast<T*>(args.sum);
  const T* residual = static_cast<const T*>(args.residual);
  T* y = static_cast<T*>(args.y);
  const float* mean = scratch.coefficient(0);
  const float* scale = scratch.coefficient(1);
  const float* offset = scratch.coefficient(2);
  with_flag(x2 != nullptr, [&](auto pair) {
    with_flag(residual != nullptr, [&](auto has_residual) {
      with_flag(shape.relu, [&](auto relu) {
        map(plan, [&](auto rows, std::int64_t at, std::int64_t width) {
          normalise<rows(), pair(), has_residual(), relu()>(x + at, advance(x2, at), advance(sum, at),
                                                            advance(residual, at), y + at, width, mean, scale, offset);
        });
      });
    });
  });
}

template <typename T>
void forward_training(const BatchNormPlan& plan, const BatchNormScratch& scratch, const BatchNormShape& shape,
                      const BatchNormForward& args) {
  const T* x = static_cast<const T*>(args.x);
  const T* x2 = static_cast<const T*>(args.x2);
  T* sum = static_cast<T*>(args.sum);

  float* shift = scratch.coefficient(0);
  guess_mean(plan, x, x2, shift);
  widen_coefficients(plan, scratch);
  with_flag(x2 != nullptr, [&](auto pair) {
    reduce(plan, scratch, [&](auto rows, std::int64_t at, std::int64_t width, float* first, float* second) {
      add_statistics<rows(), pair()>(x + at, advance(x2, at), advance(sum, at), width, shift, first, second);
    });
  });

  if (args.batches_tracked != nullptr) *args.batches_tracked += 1;
  const double n = static_cast<double>(plan.rows);
  const double unbiased = plan.rows > 1 ? n / (n - 1) : 1.0;
  for (std::int64_t c = 0; c < plan.channels; ++c) {
    const double distance = scratch.total(0)[c] / n;
    const double mean = shift[c] + distance;
    const double square = scratch.total(1)[c] / n - distance * distance;
    const double variance = square < 0 ? 0.0 : square;
    const double rstd = 1.0 / std::sqrt(variance + shape.epsilon);
    args.save_mean[c] = static_cast<float>(mean);
    args.save_rstd[c] = static_cast<float>(rstd);
    const double keep = 1.0 - static_cast<double>(shape.momentum);
    if (args.running_mean != nullptr) {
      args.running_mean[c] = static_cast<float>(keep * args.running_mean[c] + shape.momentum * mean);
    }
    if (args.running_var != nullptr) {
      args.running_var[c] = static_cast<float>(keep * args.running_var[c] + shape.momentum * variance * unbiased);
    }
    // The offset takes up what the mean loses in rounding to float.
    const double scale = args.gamma[c] * rstd;
    scratch.coefficient(0)[c] = args.save_mean[c];
    scratch.coefficient(1)[c] = static_cast<float>(scale);
    scratch.coefficient(2)[c] = static_cast<float>(args.beta[c] + (args.save_mean[c] - mean) * scale);
  }
  widen_coefficients(plan, scratch);
  normalise_all<T>(plan, scratch, shape, args, x2 != nullptr ? sum : x, nullptr);
}

template <typename T>
void forward_evaluation(const BatchNormPlan& plan, const BatchNormScratch& scratch, const BatchNormShape& shape,
                        const BatchNormForward& args) {
  for (std::int64_t c = 0; c < plan.channels; ++c) {
    const double rstd = 1.0 / std::sqrt(static_cast<double>(args.running_var[c]) + shape.epsilon);
    if (args.save_mean != nullptr) args.save_mean[c] = args.running_mean[c];
    if (args.save_rstd != nullptr) args.save_rstd[c] = static_cast<float>(rstd);
    scratch.coefficient(0)[c] = args.running_mean[c];
    scratch.coefficient(1)[c] = static_cast<float>(args.gamma[c] * rstd);
    scratch.coefficient(2)[c] = args.beta[c];
  }
  widen_coefficients(plan, scratch);
  normalise_all<T>(plan, scratch, shape, args, static_cast<const T*>(args.x), static_cast<const T*>(args.x2));
}

/// kTraining: the statistics depend on x.
template <bool kTraining, typename T>
void backward(const BatchNormPlan& plan, const BatchNormScratch& scratch, const BatchNormShape& shape,
              const BatchNormBackward& args) {
  const T* dy = static_cast<const T*>(args.dy);
  const T* dy2 = static_cast<const T*>(args.dy2);
  const T* y = static_cast<const T*>(args.y);
  const T* x = static_cast<const T*>(args.sum);
  T* dx = static_cast<T*>(args.dx);
  T* dresidual = static_cast<T*>(args.dresidual);

  float* mean = scratch.coefficient(0);
  float* scale = scratch.coefficient(1);
  float* slope = scratch.coefficient(2);
  float* offset = scratch.coefficient(3);
  std::copy_n(args.save_mean, plan.channels, mean);
  widen_coefficients(plan, scratch);

  bool relu = shape.relu;
  if (kTraining || args.dgamma != nullptr || args.dbeta != nullptr || dresidual != nullptr) {
    with_flag(dy2 != nullptr, [&](auto pair) {
      with_flag(relu, [&](auto masked) {
        with_flag(dresidual != nullptr, [&](auto store) {
          reduce(plan, scratch, [&](auto rows, std::int64_t at, std::int64_t width, float* first, float* second) {
            add_gradients<rows(), pair(), masked(), store()>(dy + at, advance(dy2, at), advance(y, at), x + at,
                                                             advance(dresidual, at), width, mean, first, second);
          });
        });
      });
    });
    for (std::int64_t c = 0; c < plan.channels; ++c) {
      if (args.dgamma != nullptr) args.dgamma[c] = static_cast<float>(scratch.total(1)[c] * args.save_rstd[c]);
      if (args.dbeta != nullptr) args.dbeta[c] = static_cast<float>(scratch.total(0)[c]);
    }
    if (dresidual != nullptr) {  // holds the whole gradient now, so the second pass reads nothing else
      dy = dresidual;
      dy2 = nullptr;
      relu = false;
    }
  }
  if (dx == nullptr) return;

  const double n = static_cast<double>(plan.rows);
  for (std::int64_t c = 0; c < plan.channels; ++c) {
    const double rstd = args.save_rstd[c];
    const double s = args.gamma[c] * rstd;
    scale[c] = static_cast<float>(s);
    if (!kTraining) continue;
    slope[c] = static_cast<float>(-s * rstd * rstd * (scratch.total(1)[c] / n));
    offset[c] = static_cast<float>(-s * (scratch.total(0)[c] / n));
  }
  widen_coefficients(plan, scratch);
  const T* addend = static_cast<const T*>(args.dx_addend);
  with_flag(dy2 != nullptr, [&](auto pair) {
    with_flag(relu, [&](auto masked) {
      with_flag(addend != nullptr, [&](auto has_addend) {
        map(plan, [&](auto rows, std::int64_t at, std::int64_t width) {
          input_gradient<rows(), pair(), masked(), kTraining, has_addend()>(dy + at, advance(dy2, at), advance(y, at),
                                                                            advance(x, at), advance(addend, at),
                                                                            dx + at, width, mean, scale, slope, offset);
        });
      });
    });
  });
}

/// Calls body(plan, scratch, T{}) once the workspace is known to be large enough.
template <typename Body>
void prepare(const Launch& launch, const BatchNormShape& shape, const Body& body) {
  const BatchNormPlan plan(shape);
  const BatchNormScratch scratch(plan, launch.workspace);
  RETORT_CHECK_AS(ErrorKind::internal, launch.workspace_bytes >= scratch.bytes(), "batch norm has ",
                  launch.workspace_bytes, " bytes of workspace and needs ", scratch.bytes());
  with_type(shape.dtype, [&](auto type) { body(plan, scratch, type); });
}

}  // namespace

std::size_t batch_norm_workspace(const BatchNormShape& shape) {
  const BatchNormPlan plan(shape);
  return BatchNormScratch(plan, nullptr).bytes();
}

void batch_norm_forward_training(const Launch& launch, const BatchNormShape& shape, const BatchNormForward& args) {
  prepare(launch, shape, [&](const auto& plan, const auto& scratch, auto type) {
    forward_training<decltype(type)>(plan, scratch, shape, args);
  });
}

void batch_norm_forward_evaluation(const Launch& launch, const BatchNormShape& shape, const BatchNormForward& args) {
  prepare(launch, shape, [&](const auto& plan, const auto& scratch, auto type) {
    forward_evaluation<decltype(type)>(plan, scratch, shape, args);
  });
}

void batch_norm_backward_training(const Launch& launch, const BatchNormShape& shape, const BatchNormBackward& args) {
  prepare(launch, shape, [&](const auto& plan, const auto& scratch, auto type) {
    backward<true, decltype(type)>(plan, scratch, shape, args);
  });
}

void batch_norm_backward_evaluation(const Launch& launch, const BatchNormShape& shape, const BatchNormBackward& args) {
  prepare(launch, shape, [&](const auto& plan, const auto& scratch, auto type) {
    backward<false, decltype(type)>(plan, scratch, shape, args);
  });
}

}  // namespace retort::cpu
