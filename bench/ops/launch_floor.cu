#include <algorithm>
#include <vector>

#include "bench/ops/launch_floor.h"
#include "kernels/cuda/check.h"
#include "kernels/timing.h"

namespace retort::bench {
namespace {

__global__ void empty_kernel() {}

class Stream {
 public:
  Stream() { RETORT_CUDA_CALL(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { cudaStreamDestroy(stream_); }
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

void launch_empty(const Stream& stream, int kernels) {
  for (int i = 0; i < kernels; ++i) empty_kernel<<<1, 32, 0, stream.get()>>>();
  RETORT_CUDA_CALL(cudaGetLastError());
}

/// The median of several, after some that are not timed.
template <typename Work>
double median_seconds(const Stream& stream, const Work& work) {
  const Launch at{stream.get(), nullptr, 0, Precision::fp32};
  std::vector<double> seconds;
  for (int i = 0; i < 24; ++i) {
    void* begin = cuda::make_mark(at);
    work();
    void* end = cuda::make_mark(at);
    const double taken = cuda::seconds_between(begin, end);
    cuda::release_mark(begin);
    cuda::release_mark(end);
    if (i >= 3) seconds.push_back(taken);
  }
  std::nth_element(seconds.begin(), seconds.begin() + 10, seconds.end());
  return seconds[10];
}

}  // namespace

double empty_graph_seconds(int kernels) {
  const Stream stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  RETORT_CUDA_CALL(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
  launch_empty(stream, kernels);
  RETORT_CUDA_CALL(cudaStreamEndCapture(stream.get(), &graph));
  RETORT_CUDA_CALL(cudaGraphInstantiate(&executable, graph, 0));
  const double seconds = median_seconds(stream, [&] { RETORT_CUDA_CALL(cudaGraphLaunch(executable, stream.get())); });
  RETORT_CUDA_CALL(cudaGraphExecDestroy(executable));
  RETORT_CUDA_CALL(cudaGraphDestroy(graph));
  return seconds;
}

double empty_launches_seconds(int kernels) {
  const Stream stream;
  return median_seconds(stream, [&] { launch_empty(stream, kernels); });
}

}  // namespace retort::bench
