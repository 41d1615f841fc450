#include "kernels/recall.h"

#include "kernels/cuda/launch.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

__global__ void recall_kernel(int rows, const std::int32_t* samples, const std::uint8_t* judged,
                              std::int32_t* participates, StepState* state) {
  for (int i = static_cast<int>(threadIdx.x); i < rows; i += kThreads) participates[i] = judged[samples[i]];
  if (threadIdx.x == 0) state->verdict = static_cast<std::int32_t>(StepVerdict::applied);
}

}  // namespace

void recall_participation(const Launch& at, int rows, const std::int32_t* samples, const std::uint8_t* judged,
                          std::int32_t* participates, StepState* state) {
  launch(at, "recall_participation", &recall_kernel, 1, kThreads, 0, rows, samples, judged, participates, state);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
