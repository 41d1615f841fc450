// Batch normalisation: one pass over the data for the sums, whose last block turns them into coefficients, and one pass
// for the result. Bandwidth is all there is to win, so what is optional is decided at run time, once a row.
#include <cmath>

#include "kernels/batch_norm.h"
#include "kernels/cuda/batch_norm_block.h"
#include "kernels/cuda/launch.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

/// The second pass walks backwards, through what the first one left in the cache.
__device__ std::int64_t chunk_from_the_end() {
  return std::int64_t{gridDim.x} - 1 - blockIdx.x;
}

// ---- forward ----

template <typename P>
struct Inputs {
  P x, x2, residual;
};

/// x + x2 as it is stored, which is what is normalised.
template <typename P>
__device__ __forceinline__ P sum_of(const Inputs<P>& in, bool pair) {
  using T = std::remove_cvref_t<decltype(in.x.v[0])>;
  P sum = in.x;
  if (pair) {
    for (int j = 0; j < P::kCount; ++j) sum.v[j] = narrow<T>(widen(in.x.v[j]) + widen(in.x2.v[j]));
  }
  return sum;
}

/// What is known of a channel once the whole batch has been seen: the statistics, and the coefficients of
/// normalise_kernel, which are mean, scale, offset.
__device__ void finish_statistics(const BatchNormPlan& plan, float epsilon, float momentum,
                                  const BatchNormForward& args, std::int64_t c, const Totals& total,
                                  float* coefficients) {
  if (c == 0 && args.batches_tracked != nullptr) *args.batches_tracked += 1;
  const auto n = static_cast<double>(plan.rows);
  const double unbiased = plan.rows > 1 ? n / (n - 1) : 1.0;
  const double distance = total.first / n;
  const double mean = total.shift + distance;
  const double square = total.second / n - distance * distance;
  const double variance = square < 0 ? 0.0 : square;
  const double rstd = 1.0 / std::sqrt(variance + static_cast<double>(epsilon));
  const auto saved_mean = static_cast<float>(mean);
  args.save_mean[c] = saved_mean;
  args.save_rstd[c] = static_cast<float>(rstd);
  const double share = momentum;
  if (args.running_mean != nullptr) {
    args.running_mean[c] = static_cast<float>((1.0 - share) * args.running_mean[c] + share * mean);
  }
  if (args.running_var != nullptr) {
    args.running_var[c] = static_cast<float>((1.0 - share) * args.running_var[c] + share * variance * unbiased);
  }
  // The offset takes up what the mean loses in rounding to float.
  const double scale = args.gamma[c] * rstd;
  coefficients[c] = saved_mean;
  coefficients[plan.channels + c] = static_cast<float>(scale);
  coefficients[2 * plan.channels + c] = static_cast<float>(args.beta[c] + (saved_mean - mean) * scale);
}

/// Per chunk and channel: a value near the mean, and the sums of the distances to it and of their squares. From so near
/// the squares lose nothing to cancellation, however large the mean.
template <typename T, int kCount>
__global__ void __launch_bounds__(BatchNormPlan::kThreads, 2)
    statistics_kernel(BatchNormPlan plan, const T* x, const T* x2, T* sum, float epsilon, float momentum,
                      const __grid_constant__ BatchNormForward args, BatchNormScratch scratch) {
  using P = Pack<T, kCount>;
  constexpr int kSamples = 4;
  const std::int64_t chunk = blockIdx.x;
  const BatchNormTile tile(plan, chunk, kCount);
  const auto load = [&](std::int64_t at) {
    return Inputs<P>{load_pack<kCount>(x + at), load_if_there<kCount>(x2, at), {}};
  };
  Floats<kCount> shift;
  if (tile.inside) {
    const std::int64_t begin = plan.chunk_begin(chunk);
    const std::int64_t rows = plan.chunk_end(chunk) - begin;
    for (int s = 0; s < kSamples; ++s) {
      const P sample = sum_of(load((begin + rows * s / kSamples) * plan.channels + tile.channel), x2 != nullptr);
      for (int j = 0; j < kCount; ++j) shift.v[j] += widen(sample.v[j]) / kSamples;
    }
  }
  __syncthreads();  // sum may be x: all samples are taken before anything is written
  Floats<kCount> sums[2];
  tile.template each<4>(load, [&](std::int64_t at, const Inputs<P>& in) {
    const P value = sum_of(in, x2 != nullptr);
    if (x2 != nullptr) store_pack(sum + at, value);
    for (int j = 0; j < kCount; ++j) {
      const float d = widen(value.v[j]) - shift.v[j];
      sums[0].v[j] += d;
      sums[1].v[j] += d * d;
    }
  });
  add_thread_rows<BatchNormPlan::kThreads>(plan.chunk_end(chunk) - plan.chunk_begin(chunk), sums);
  if (tile.inside && threadIdx.y == 0) {
    float* partial = scratch.partials + chunk * BatchNormPlan::kPartials * plan.channels + tile.channel;
    shift.store(partial);
    sums[0].store(partial + plan.channels);
    sums[1].store(partial + 2 * plan.channels);
  }
  add_chunks<true, kCount>(plan, scratch, [&](std::int64_t c, const Totals& total) {
    finish_statistics(plan, epsilon, momentum, args, c, total, scratch.coefficients);
  });
}

/// The same from the running statistics.
__global__ void running_coefficients_kernel(std::int64_t channels, float epsilon, BatchNormForward args,
                                            float* coefficients) {
  const std::int64_t c = grid_thread();
  if (c >= channels) return;
  const float mean = args.running_mean[c];
  const double rstd = 1.0 / std::sqrt(static_cast<double>(args.running_var[c]) + static_cast<double>(epsilon));
  if (args.save_mean != nullptr) args.save_mean[c] = mean;
  if (args.save_rstd != nullptr) args.save_rstd[c] = static_cast<float>(rstd);
  coefficients[c] = mean;
  coefficients[channels + c] = static_cast<float>(args.gamma[c] * rstd);
  coefficients[2 * channels + c] = args.beta[c];
}

/// y = relu?((x + x2 - mean) scale + offset + residual)
template <typename T, int kCount>
__global__ void __launch_bounds__(BatchNormPlan::kThreads, 2)
    normalise_kernel(BatchNormPlan plan, bool relu, const T* x, const T* x2, T* sum, const T* residual, T* y,
                     const float* coefficients) {
  using P = Pack<T, kCount>;
  using Channels = Floats<kCount>;
  const BatchNormTile tile(plan, chunk_from_the_end(), kCount);
  if (tile.empty()) return;
  const auto mean = Channels::load(coefficients + tile.channel);
  const auto scale = Channels::load(coefficients + plan.channels + tile.channel);
  const auto offset = Channels::load(coefficients + 2 * plan.channels + tile.channel);
  const auto load = [&](std::int64_t at) {
    return Inputs<P>{load_pack<kCount>(x + at), load_if_there<kCount>(x2, at), load_if_there<kCount>(residual, at)};
  };
  tile.template each<2>(load, [&](std::int64_t at, const Inputs<P>& in) {
    const P value = sum_of(in, x2 != nullptr);
    if (x2 != nullptr) store_pack(sum + at, value);
    P out;
    for (int j = 0; j < kCount; ++j) {
      float result = (widen(value.v[j]) - mean.v[j]) * scale.v[j] + offset.v[j];
      if (residual != nullptr) result += widen(in.residual.v[j]);
      if (relu) result = result < 0 ? 0.0F : result;  // NaN stays
      out.v[j] = narrow<T>(result);
    }
    store_pack(y + at, out);
  });
}

// ---- backward ----

template <typename P>
struct Gradients {
  P dy, dy2, y, x, addend;
};

/// The gradient behind the ReLU.
template <typename P>
__device__ __forceinline__ float gradient(const Gradients<P>& in, int j, bool pair, bool masked) {
  float g = widen(in.dy.v[j]);
  if (pair) g += widen(in.dy2.v[j]);
  if (masked) g = widen(in.y.v[j]) <= 0 ? 0.0F : g;
  return g;
}

/// dgamma, dbeta, and the coefficients of input_gradient_kernel: mean, scale, slope, offset.
__device__ void finish_gradients(const BatchNormPlan& plan, const BatchNormBackward& args, std::int64_t c,
                                 const Totals& total, float* coefficients) {
  const double rstd = args.save_rstd[c];
  if (args.dgamma != nullptr) args.dgamma[c] = static_cast<float>(total.second * rstd);
  if (args.dbeta != nullptr) args.dbeta[c] = static_cast<float>(total.first);
  const auto n = static_cast<double>(plan.rows);
  const double scale = args.gamma[c] * rstd;
  coefficients[c] = args.save_mean[c];
  coefficients[plan.channels + c] = static_cast<float>(scale);
  coefficients[2 * plan.channels + c] = static_cast<float>(-scale * rstd * rstd * (total.second / n));
  coefficients[3 * plan.channels + c] = static_cast<float>(-scale * (total.first / n));
}

/// Per chunk and channel the sums of g and g (x - mean); dresidual = g if it is wanted.
template <typename T, int kCount>
__global__ void __launch_bounds__(BatchNormPlan::kThreads, 2)
    gradient_sums_kernel(BatchNormPlan plan, const T* dy, const T* dy2, const T* y, const T* x, T* dresidual,
                         const __grid_constant__ BatchNormBackward args, BatchNormScratch scratch) {
  using P = Pack<T, kCount>;
  const std::int64_t chunk = blockIdx.x;
  const BatchNormTile tile(plan, chunk, kCount);
  Floats<kCount> mean;
  if (tile.inside) mean = Floats<kCount>::load(args.save_mean + tile.channel);
  Floats<kCount> sums[2];
  const auto load = [&](std::int64_t at) {
    return Gradients<P>{load_pack<kCount>(dy + at),
                        load_if_there<kCount>(dy2, at),
                        load_if_there<kCount>(y, at),
                        load_pack<kCount>(x + at),
                        {}};
  };
  tile.template each<2>(load, [&](std::int64_t at, const Gradients<P>& in) {
    P stored;
    for (int j = 0; j < kCount; ++j) {
      float g = gradient(in, j, dy2 != nullptr, y != nullptr);
      stored.v[j] = narrow<T>(g);
      if (dresidual != nullptr) g = widen(stored.v[j]);  // dx is computed from what is stored
      sums[0].v[j] += g;
      sums[1].v[j] += g * (widen(in.x.v[j]) - mean.v[j]);
    }
    if (dresidual != nullptr) store_pack(dresidual + at, stored);
  });
  add_thread_rows<BatchNormPlan::kThreads>(plan.chunk_end(chunk) - plan.chunk_begin(chunk), sums);
  if (tile.inside && threadIdx.y == 0) {
    float* partial = scratch.partials + chunk * BatchNormPlan::kPartials * plan.channels + tile.channel;
    sums[0].store(partial + plan.channels);
    sums[1].store(partial + 2 * plan.channels);
  }
  add_chunks<false, kCount>(plan, scratch, [&](std::int64_t c, const Totals& total) {
    finish_gradients(plan, args, c, total, scratch.coefficients);
  });
}

/// Where the statistics are constants and nobody wants the sums, they are not taken: the coefficients without them.
__global__ void constant_coefficients_kernel(BatchNormPlan plan, BatchNormBackward args, float* coefficients) {
  const std::int64_t c = grid_thread();
  if (c < plan.channels) finish_gradients(plan, args, c, {}, coefficients);
}

/// dx = scale g + (x - mean) slope + offset + addend; in evaluation x is null, and the two middle terms are absent.
template <typename T, int kCount>
__global__ void __launch_bounds__(BatchNormPlan::kThreads, 2)
    input_gradient_kernel(BatchNormPlan plan, const T* dy, const T* dy2, const T* y, const T* x, const T* addend, T* dx,
                          const float* coefficients) {
  using P = Pack<T, kCount>;
  using Channels = Floats<kCount>;
  constexpr int kRows = kCount > 4 ? 1 : 2;  // as registers allow
  const BatchNormTile tile(plan, chunk_from_the_end(), kCount);
  if (tile.empty()) return;
  const auto mean = Channels::load(coefficients + tile.channel);
  const auto scale = Channels::load(coefficients + plan.channels + tile.channel);
  Channels slope;
  Channels offset;
  if (x != nullptr) {
    slope = Channels::load(coefficients + 2 * plan.channels + tile.channel);
    offset = Channels::load(coefficients + 3 * plan.channels + tile.channel);
  }
  const auto load = [&](std::int64_t at) {
    return Gradients<P>{load_pack<kCount>(dy + at), load_if_there<kCount>(dy2, at), load_if_there<kCount>(y, at),
                        load_if_there<kCount>(x, at), load_if_there<kCount>(addend, at)};
  };
  tile.template each<kRows>(load, [&](std::int64_t at, const Gradients<P>& in) {
    P out;
    for (int j = 0; j < kCount; ++j) {
      float value = scale.v[j] * gradient(in, j, dy2 != nullptr, y != nullptr);
      if (x != nullptr) value += (widen(in.x.v[j]) - mean.v[j]) * slope.v[j] + offset.v[j];
      if (addend != nullptr) value += widen(in.addend.v[j]);
      out.v[j] = narrow<T>(value);
    }
    store_pack(dx + at, out);
  });
}

// ---- what is launched ----

unsigned channel_blocks(const BatchNormPlan& plan) {
  return static_cast<unsigned>((plan.channels + BatchNormPlan::kThreads - 1) / BatchNormPlan::kThreads);
}

/// Calls body(T{}, count, plan), count being how many channels are accessed at once.
template <typename Body, typename... Pointers>
void prepare(const Launch& at, const BatchNormShape& shape, const Body& body, const Pointers*... pointers) {
  with_type(shape.dtype, [&](auto type) {
    const bool aligned = wide(pointers...) && wide(static_cast<char*>(at.workspace));
    with_pack<decltype(type)>(shape.channels, aligned, [&](auto count) {
      const BatchNormPlan plan(shape, count());
      RETORT_CHECK_AS(ErrorKind::internal, at.workspace_bytes >= plan.bytes(), "batch norm has ", at.workspace_bytes,
                      " bytes of workspace and needs ", plan.bytes());
      RETORT_CHECK_AS(ErrorKind::internal, at.tickets != nullptr, "batch norm has no tickets");
      body(type, count, plan);
    });
  });
}

template <bool kTraining>
void forward(const Launch& at, const BatchNormShape& shape, const BatchNormForward& args) {
  const auto run = [&](auto type, auto count, const BatchNormPlan& plan) {
    using T = decltype(type);
    const T* x = static_cast<const T*>(args.x);
    const T* x2 = static_cast<const T*>(args.x2);
    T* sum = static_cast<T*>(args.sum);
    const BatchNormScratch scratch = plan.scratch(at);
    if constexpr (kTraining) {
      launch(at, "batch_norm statistics", &statistics_kernel<T, count()>, plan.grid(), plan.block(), 0, plan, x, x2,
             sum, shape.epsilon, shape.momentum, args, scratch);
      if (x2 != nullptr) x = sum;  // holds x + x2 now
      x2 = nullptr;
    } else {
      launch(at, "batch_norm running coefficients", &running_coefficients_kernel, channel_blocks(plan),
             BatchNormPlan::kThreads, 0, plan.channels, shape.epsilon, args, scratch.coefficients);
    }
    launch(at, "batch_norm normalise", &normalise_kernel<T, count()>, plan.grid(), plan.block(), 0, plan, shape.relu, x,
           x2, sum, static_cast<const T*>(args.residual), static_cast<T*>(args.y), scratch.coefficients);
  };
  prepare(at, shape, run, static_cast<const char*>(args.x), static_cast<const char*>(args.x2),
          static_cast<const char*>(args.sum), static_cast<const char*>(args.residual),
          static_cast<const char*>(args.y));
}

template <bool kTraining>
void backward(const Launch& at, const BatchNormShape& shape, const BatchNormBackward& args) {
  const auto run = [&](auto type, auto count, const BatchNormPlan& plan) {
    using T = decltype(type);
    const T* dy = static_cast<const T*>(args.dy);
    const T* dy2 = static_cast<const T*>(args.dy2);
    const T* y = shape.relu ? static_cast<const T*>(args.y) : nullptr;
    const T* x = static_cast<const T*>(args.sum);
    T* dx = static_cast<T*>(args.dx);
    T* dresidual = static_cast<T*>(args.dresidual);
    const BatchNormScratch scratch = plan.scratch(at);
    const bool parameters = args.dgamma != nullptr || args.dbeta != nullptr;
    const bool sums = parameters || dresidual != nullptr || (kTraining && dx != nullptr);
    if (sums) {
      launch(at, "batch_norm gradient sums", &gradient_sums_kernel<T, count()>, plan.grid(), plan.block(), 0, plan, dy,
             dy2, y, x, dresidual, args, scratch);
    } else if (dx != nullptr) {
      launch(at, "batch_norm constant coefficients", &constant_coefficients_kernel, channel_blocks(plan),
             BatchNormPlan::kThreads, 0, plan, args, scratch.coefficients);
    }
    if (dx == nullptr) return;
    if (dresidual != nullptr) {  // holds the whole gradient now
      dy = dresidual;
      dy2 = nullptr;
      y = nullptr;
    }
    launch(at, "batch_norm input gradient", &input_gradient_kernel<T, count()>, plan.grid(), plan.block(), 0, plan, dy,
           dy2, y, kTraining ? x : nullptr, static_cast<const T*>(args.dx_addend), dx, scratch.coefficients);
  };
  prepare(at, shape, run, static_cast<const char*>(args.dy), static_cast<const char*>(args.dy2),
          static_cast<const char*>(args.sum), static_cast<const char*>(args.y), args.save_mean,
          static_cast<const char*>(args.dx_addend), static_cast<const char*>(args.dx),
          static_cast<const char*>(args.dresidual));
}

}  // namespace

/// Enough for packs and, where pointers turn out not to be aligned, for single elements.
std::size_t batch_norm_workspace(const BatchNormShape& shape) {
  std::size_t bytes = BatchNormPlan(shape, 1).bytes();
  with_type(shape.dtype, [&](auto type) {
    with_pack<decltype(type)>(shape.channels, true,
                              [&](auto count) { bytes = std::max(bytes, BatchNormPlan(shape, count()).bytes()); });
  });
  return bytes;
}

void batch_norm_forward_training(const Launch& at, const BatchNormShape& shape, const BatchNormForward& args) {
  forward<true>(at, shape, args);
}

void batch_norm_forward_evaluation(const Launch& at, const BatchNormShape& shape, const BatchNormForward& args) {
  forward<false>(at, shape, args);
}

void batch_norm_backward_training(const Launch& at, const BatchNormShape& shape, const BatchNormBackward& args) {
  backward<true>(at, shape, args);
}

void batch_norm_backward_evaluation(const Launch& at, const BatchNormShape& shape, const BatchNormBackward& args) {
  backward<false>(at, shape, args);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
