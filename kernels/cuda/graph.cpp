// Recordings are CUDA graphs, captured from the stream.
#include "kernels/graph.h"

#include <memory>

#include "kernels/cuda/check.h"
#include "kernels/cuda/graph_condition.h"
#include "kernels/stream.h"

namespace retort::cuda {
namespace {

/// Conditional nodes came with CUDA 12.3, capture into their bodies with 12.4.
constexpr int kConditions = 12040;
/// Calls of other threads are their own affair.
constexpr cudaStreamCaptureMode kMode = cudaStreamCaptureModeThreadLocal;

struct Recording {
  cudaGraphExec_t graph = nullptr;
  std::size_t launches = 0;

  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() {
    if (graph != nullptr) cudaGraphExecDestroy(graph);
  }
};

cudaStream_t stream_of(const Launch& at) {
  return static_cast<cudaStream_t>(at.stream);
}

/// Conditional bodies are captured from a stream of their own, one at a time.
cudaStream_t body_stream() {
  static const cudaStream_t stream = [] {
    load_condition_kernel();
    return static_cast<cudaStream_t>(make_stream());
  }();
  return stream;
}

/// What a capturing stream would depend on next.
struct Captured {
  cudaGraph_t graph = nullptr;
  const cudaGraphNode_t* last = nullptr;
  std::size_t count = 0;

  explicit Captured(cudaStream_t stream) {
    cudaStreamCaptureStatus status{};
#if CUDART_VERSION >= 13000
    RETORT_CUDA_CALL(cudaStreamGetCaptureInfo(stream, &status, nullptr, &graph, &last, nullptr, &count));
#else
    RETORT_CUDA_CALL(cudaStreamGetCaptureInfo_v2(stream, &status, nullptr, &graph, &last, &count));
#endif
    RETORT_CHECK(status == cudaStreamCaptureStatusActive, "a condition outside of a recording");
  }
};

cudaGraphNode_t add_node(const Captured& at, cudaGraphNodeParams& parameters) {
  cudaGraphNode_t node = nullptr;
#if CUDART_VERSION >= 13000
  RETORT_CUDA_CALL(cudaGraphAddNode(&node, at.graph, at.last, nullptr, at.count, &parameters));
#else
  RETORT_CUDA_CALL(cudaGraphAddNode(&node, at.graph, at.last, at.count, &parameters));
#endif
  return node;
}

void go_on_after(cudaStream_t stream, cudaGraphNode_t node) {
#if CUDART_VERSION >= 13000
  RETORT_CUDA_CALL(cudaStreamUpdateCaptureDependencies(stream, &node, nullptr, 1, cudaStreamSetCaptureDependencies));
#else
  RETORT_CUDA_CALL(cudaStreamUpdateCaptureDependencies(stream, &node, 1, cudaStreamSetCaptureDependencies));
#endif
}

}  // namespace

bool has_recordings() {
  return true;
}

bool has_conditions() {
  static const bool has = [] {
    int driver = 0;
    RETORT_CUDA_CALL(cudaDriverGetVersion(&driver));
    return driver >= kConditions && CUDART_VERSION >= kConditions;
  }();
  return has;
}

void begin_recording(const Launch& at) {
  body_stream();  // streams are made, and kernels loaded, before anything is captured
  RETORT_CUDA_CALL(cudaStreamBeginCapture(stream_of(at), kMode));
}

void* end_recording(const Launch& at) {
  cudaGraph_t graph = nullptr;
  RETORT_CUDA_CALL(cudaStreamEndCapture(stream_of(at), &graph));
  auto recording = std::make_unique<Recording>();
  cudaError_t status = cudaGraphGetNodes(graph, nullptr, &recording->launches);
  if (status == cudaSuccess) status = cudaGraphInstantiate(&recording->graph, graph, 0);
  cudaGraphDestroy(graph);
  check_call(status, "cudaGraphInstantiate");
  // Its memory on the device is made ready now, not in the first replay.
  RETORT_CUDA_CALL(cudaGraphUpload(recording->graph, stream_of(at)));
  return recording.release();
}

void abandon_recording(const Launch& at) noexcept {
  cudaGraph_t graph = nullptr;
  cudaStreamCaptureStatus body = cudaStreamCaptureStatusNone;
  if (cudaStreamIsCapturing(body_stream(), &body) == cudaSuccess && body != cudaStreamCaptureStatusNone) {
    cudaStreamEndCapture(body_stream(), &graph);
  }
  graph = nullptr;
  if (cudaStreamEndCapture(stream_of(at), &graph) == cudaSuccess && graph != nullptr) cudaGraphDestroy(graph);
  cudaGetLastError();
}

void* begin_condition(const Launch& at, const std::int32_t* count, int least) {
  cudaGraphConditionalHandle condition{};
  RETORT_CUDA_CALL(cudaGraphConditionalHandleCreate(&condition, Captured(stream_of(at)).graph, 0, 0));
  set_condition(stream_of(at), condition, count, least);
  cudaGraphNodeParams parameters{};
  parameters.type = cudaGraphNodeTypeConditional;
  parameters.conditional.handle = condition;
  parameters.conditional.type = cudaGraphCondTypeIf;
  parameters.conditional.size = 1;
  const cudaGraphNode_t node = add_node(Captured(stream_of(at)), parameters);
  go_on_after(stream_of(at), node);
  RETORT_CUDA_CALL(
      cudaStreamBeginCaptureToGraph(body_stream(), parameters.conditional.phGraph_out[0], nullptr, nullptr, 0, kMode));
  return body_stream();
}

void end_condition(void* body) {
  cudaGraph_t graph = nullptr;  // the node's
  RETORT_CUDA_CALL(cudaStreamEndCapture(static_cast<cudaStream_t>(body), &graph));
}

void replay(const Launch& at, void* recording) {
  RETORT_CUDA_CALL(cudaGraphLaunch(static_cast<Recording*>(recording)->graph, stream_of(at)));
}

std::size_t recorded_launches(const void* recording) {
  return static_cast<const Recording*>(recording)->launches;
}

void release_recording(void* recording) noexcept {
  delete static_cast<Recording*>(recording);
}

}  // namespace retort::cuda
