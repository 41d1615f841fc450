// Small things: forward a thread a draw, backward a block a sum.
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"
#include "kernels/transform_randomness.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 128;

__global__ void draws_kernel(const __grid_constant__ TransformDraws draws, int rows, const float* probabilities,
                             const float* magnitudes, const StepState* state, float* share, float* strength) {
  const int i = static_cast<int>(grid_thread());
  if (i >= draws.count * rows) return;
  const int k = i / rows;
  const int transform = draws.transform[k];
  const int magnitude = draws.magnitude[k];
  const TransformOfImage own = transform_of_image(i % rows, transform, draws.two_ways[k], *state);
  share[i] = own.applied ? relaxed_draw(probabilities[transform], transform, *state) : 0.0F;
  const float trained = magnitude < 0 ? 0.0F : sigmoid(magnitudes[magnitude]);
  strength[i] = own.direction * (magnitude >= 0 && draws.random_strength ? own.strength : trained);
}

/// Block i has the gradient of probability i, or, behind those, of a magnitude.
__global__ void draws_gradient_kernel(const __grid_constant__ TransformDraws draws, int rows,
                                      const float* probabilities, const float* magnitudes, const StepState* state,
                                      const float* dshare, const float* dstrength, float* dprobabilities,
                                      float* dmagnitudes) {
  __shared__ double scratch[kThreads / kWarp];
  const int self = static_cast<int>(blockIdx.x);
  const bool of_probability = self < draws.transforms;
  const int wanted = of_probability ? self : self - draws.transforms;
  float* all = of_probability ? dprobabilities : dmagnitudes;
  if (all == nullptr) return;
  int k = 0;
  while (k < draws.count && (of_probability ? draws.transform[k] : draws.magnitude[k]) != wanted) ++k;
  float* to = all + wanted;
  if (k == draws.count || (!of_probability && draws.random_strength)) {
    if (threadIdx.x == 0) *to = 0;
    return;
  }
  const int transform = draws.transform[k];
  double sum = 0;
  for (int n = static_cast<int>(threadIdx.x); n < rows; n += kThreads) {
    const TransformOfImage own = transform_of_image(n, transform, draws.two_ways[k], *state);
    if (!of_probability) sum += own.direction * dstrength[k * rows + n];
    if (of_probability && own.applied) sum += dshare[k * rows + n];
  }
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x != 0) return;
  const double trained = sigmoid(of_probability ? probabilities[wanted] : magnitudes[wanted]);
  double slope = trained * (1 - trained);
  if (of_probability) {
    const double drawn = relaxed_draw(probabilities[wanted], transform, *state);
    slope *= drawn * (1 - drawn) / kRelaxation;
  }
  *to = static_cast<float>(sum * slope);
}

__global__ void features_kernel(int rows, int width, int transform, float deviation, const float* learned,
                                const float* strength, const StepState* state, float* features) {
  const int i = static_cast<int>(grid_thread());
  if (i >= rows * (width + 1)) return;
  const int n = i / (width + 1);
  const int j = i % (width + 1);
  if (j == width) {
    features[i] = strength[n];
  } else {
    features[i] = learned[j] + (deviation > 0 ? deviation * encoder_noise(n, j, transform, *state) : 0.0F);
  }
}

/// Block j has the gradient of learned value j; the last one hands on the strengths'.
__global__ void features_gradient_kernel(int rows, int width, const float* dfeatures, float* dlearned,
                                         float* dstrength) {
  __shared__ double scratch[kThreads / kWarp];
  const int j = static_cast<int>(blockIdx.x);
  double sum = 0;
  for (int n = static_cast<int>(threadIdx.x); n < rows; n += kThreads) {
    const float own = dfeatures[std::int64_t{n} * (width + 1) + j];
    if (j == width) dstrength[n] = own;
    sum += own;
  }
  sum = block_sum<kThreads>(sum, scratch);
  if (j < width && threadIdx.x == 0 && dlearned != nullptr) dlearned[j] = static_cast<float>(sum);
}

unsigned blocks_for(int items) {
  return static_cast<unsigned>((items + kThreads - 1) / kThreads);
}

}  // namespace

void transform_draws_forward(const Launch& at, const TransformDraws& draws, int rows, const float* probabilities,
                             const float* magnitudes, const StepState* state, float* share, float* strength) {
  if (draws.count * rows == 0) return;
  launch(at, "transform_draws", &draws_kernel, blocks_for(draws.count * rows), kThreads, 0, draws, rows, probabilities,
         magnitudes, state, share, strength);
}

void transform_draws_backward(const Launch& at, const TransformDraws& draws, int rows, const float* probabilities,
                              const float* magnitudes, const StepState* state, const float* dshare,
                              const float* dstrength, float* dprobabilities, float* dmagnitudes) {
  if (draws.transforms + draws.magnitudes == 0) return;
  launch(at, "transform_draws gradient", &draws_gradient_kernel,
         static_cast<unsigned>(draws.transforms + draws.magnitudes), kThreads, 0, draws, rows, probabilities,
         magnitudes, state, dshare, dstrength, dprobabilities, dmagnitudes);
}

void encoder_features_forward(const Launch& at, int rows, int width, int transform, float deviation,
                              const float* learned, const float* strength, const StepState* state, float* features) {
  if (rows == 0) return;
  launch(at, "encoder_features", &features_kernel, blocks_for(rows * (width + 1)), kThreads, 0, rows, width, transform,
         deviation, learned, strength, state, features);
}

void encoder_features_backward(const Launch& at, int rows, int width, const float* dfeatures, float* dlearned,
                               float* dstrength) {
  launch(at, "encoder_features gradient", &features_gradient_kernel, static_cast<unsigned>(width + 1), kThreads, 0,
         rows, width, dfeatures, dlearned, dstrength);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
