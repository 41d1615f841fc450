#include "kernels/cuda/cudnn_plan.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <set>

#include "kernels/cuda/check.h"
#include "kernels/cuda/cudnn_plan_name.h"

namespace retort::cuda {
namespace {

using Note = cudnnBackendNumericalNote_t;
using Integers = std::vector<std::int64_t>;

constexpr std::size_t kOldestCudnn = 91100;  ///< plans for described devices

// Names of the operands within a plan.
constexpr std::int64_t kX = 1;
constexpr std::int64_t kWeight = 2;
constexpr std::int64_t kY = 3;

}  // namespace

CudnnDescriptor channels_last(std::int64_t name, DType dtype, int n, int h, int w, int c, CudnnPlace place) {
  const bool inside = place == CudnnPlace::inside;
  const cudnnDataType_t type = !inside && dtype == DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
  const std::int64_t N = n, H = h, W = w, C = c;
  CudnnDescriptor out(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  out.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, name)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type)
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, Integers{N, C, H, W})
      .set(CUDNN_ATTR_TENSOR_STRIDES, Integers{H * W * C, 1, W * C, C})
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16})
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &inside);
  return out.finalize("tensor");
}

CudnnDescriptor cross_correlation(const Conv2dShape& s) {
  const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  CudnnDescriptor out(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  out.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2})
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Integers{1, 1})
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, Integers{s.stride, s.stride})
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, Integers{s.padding, s.padding})
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, Integers{s.padding, s.padding});
  return out.finalize("convolution");
}

namespace {

/// cuDNN has a type and a set of attribute names for each pass.
struct PassNames {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t convolution, x, weight, y, alpha, beta;
};
PassNames names_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::forward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case ConvolutionPass::backward_data:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    default:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  }
}

/// A graph of one operation.
CudnnDescriptor graph_of(const Conv2dShape& s, ConvolutionPass pass) {
  const PassNames names = names_of(pass);
  const float one = 1;
  const float zero = 0;
  CudnnDescriptor operation(names.type);
  operation.set(names.convolution, cross_correlation(s))
      .set(names.x, channels_last(kX, s.dtype, s.batch, s.height, s.width, s.in_channels))
      .set(names.weight, channels_last(kWeight, s.dtype, s.out_channels, s.kernel_h, s.kernel_w, s.in_channels))
      .set(names.y, channels_last(kY, s.dtype, s.batch, s.out_height(), s.out_width(), s.out_channels))
      .set(names.alpha, CUDNN_TYPE_FLOAT, 1, &one)
      .set(names.beta, CUDNN_TYPE_FLOAT, 1, &zero)
      .finalize("convolution");
  CudnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  return graph.finalize("graph of a convolution");
}

std::vector<CudnnDescriptor> ask(const CudnnDescriptor& graph, const PlanDevice& device, cudnnBackendHeurMode_t mode) {
  CudnnDescriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode)
      .set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, device.descriptor());
  if (!heuristics.try_finalize("heuristics")) return {};
  return heuristics.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
}

bool has(const std::vector<Note>& notes, Note note) {
  return std::find(notes.begin(), notes.end(), note) != notes.end();
}

/// Tensor cores round fp32 operands to tf32, so that the reference mode does without.
bool is_allowed(const std::vector<Note>& notes, const ConvolutionProblem& problem, const PlanRules& rules) {
  if (rules.deterministic && has(notes, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return false;
  if (has(notes, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return false;
  if (problem.shape.dtype == DType::bf16) return true;
  if (has(notes, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)) return false;
  return problem.precision != Precision::fp32 || !has(notes, CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
}

std::vector<Note> notes_of(const CudnnDescriptor& engine) {
  return engine.array<Note>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                            CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
}

CudnnDescriptor engine_of(const CudnnDescriptor& configuration) {
  return configuration.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR).at(0);
}

/// What the name says, as the heuristics would have put it. cuDNN judges it, and throws where it cannot be.
CudnnDescriptor configuration_of(const ConvolutionProblem& problem, const PlanDevice& device,
                                 const CudnnPlanName& name) {
  CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph_of(problem.shape, problem.pass))
      .set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, name.engine)
      .set(CUDNN_ATTR_ENGINE_DEVICEPROP, device.descriptor())
      .finalize("engine");
  std::vector<CudnnDescriptor> knobs;
  for (const auto& [number, choice] : name.knobs) {
    const auto type = static_cast<cudnnBackendKnobType_t>(number);
    knobs.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR)
        .set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type)
        .set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, choice)
        .finalize("choice for a knob");
  }
  CudnnDescriptor configuration(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  configuration.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  if (!knobs.empty()) configuration.set(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, knobs);
  return configuration.finalize("configuration of an engine");
}

std::string text_of(const std::vector<Note>& notes) {
  std::string out;
  const auto add = [&](Note note, const char* name) {
    if (has(notes, note)) out += (out.empty() ? "" : ", ") + std::string(name);
  };
  add(CUDNN_NUMERICAL_NOTE_TENSOR_CORE, "tensor cores");
  add(CUDNN_NUMERICAL_NOTE_FFT, "FFT");
  add(CUDNN_NUMERICAL_NOTE_WINOGRAD, "Winograd");
  return out;
}

/// Three times the operands, and what small convolutions may want besides.
std::size_t workspace_in_proportion(const Conv2dShape& s) {
  const double x = 1.0 * s.batch * s.height * s.width * s.in_channels;
  const double y = 1.0 * s.batch * s.out_height() * s.out_width() * s.out_channels;
  const double weight = 1.0 * s.out_channels * s.kernel_h * s.kernel_w * s.in_channels;
  return (std::size_t{16} << 20) + 3 * size_of(s.dtype) * static_cast<std::size_t>(x + y + weight);
}

void check_cudnn_version() {
  const std::size_t loaded = cudnnGetVersion();
  RETORT_CHECK_AS(ErrorKind::device, loaded >= kOldestCudnn, "cuDNN ", loaded / 10000, ".", loaded % 10000 / 100,
                  " is loaded; needed is ", kOldestCudnn / 10000, ".", kOldestCudnn % 10000 / 100, " or later");
}

}  // namespace

PlanDevice PlanDevice::in_use() {
  check_cudnn_version();
  int number = 0;
  RETORT_CUDA_CALL(cudaGetDevice(&number));
  RETORT_CUDA_CALL(cudaFree(nullptr));  // cuDNN asks a device that has been begun with
  const std::int32_t id = number;
  CudnnDescriptor descriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  descriptor.set(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_TYPE_INT32, 1, &id).finalize("properties of the device");
  return PlanDevice(std::move(descriptor));
}

PlanDevice PlanDevice::described(const std::string& json) {
  check_cudnn_version();
  CudnnDescriptor descriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  // With its final zero byte, as cuDNN writes it.
  descriptor
      .set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, static_cast<std::int64_t>(json.size() + 1),
           json.c_str())
      .finalize("description of a device");
  return PlanDevice(std::move(descriptor));
}

std::string PlanDevice::json() const {
  constexpr std::int64_t kMost = 1 << 16;
  const auto characters = descriptor_.array<char>(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, kMost);
  const auto end = std::find(characters.begin(), characters.end(), '\0');
  return {characters.begin(), end};
}

CudnnPlan::CudnnPlan(ConvolutionPass pass, CudnnDescriptor configuration, CudnnDescriptor plan)
    : pass_(pass),
      configuration_(std::move(configuration)),
      plan_(std::move(plan)),
      name_(CudnnPlanName::of(configuration_).text()),
      workspace_bytes_(static_cast<std::size_t>(plan_.integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE))) {}

std::optional<CudnnPlan> CudnnPlan::of(const ConvolutionProblem& problem, const CudnnDescriptor& configuration,
                                       const PlanDevice& device) {
  CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration)
      .set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device.descriptor());
  if (!plan.try_finalize("execution plan")) return std::nullopt;
  return CudnnPlan(problem.pass, configuration, std::move(plan));
}

std::optional<CudnnPlan> CudnnPlan::named(const ConvolutionProblem& problem, const PlanRules& rules,
                                          const PlanDevice& device, const std::string& text) {
  const auto name = CudnnPlanName::parse(text);
  if (!name) return std::nullopt;
  try {
    const CudnnDescriptor configuration = configuration_of(problem, device, *name);
    if (!is_allowed(notes_of(engine_of(configuration)), problem, rules)) return std::nullopt;
    return of(problem, configuration, device);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::device) throw;
    return std::nullopt;
  }
}

ConvolutionPlanReport CudnnPlan::report() const {
  const CudnnDescriptor engine = engine_of(configuration_);
  ConvolutionPlanReport report;
  report.plan = name_;
  report.engine = engine.integer(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  report.notes = text_of(notes_of(engine));
  report.workspace_bytes = workspace_bytes_;
  return report;
}

CudnnOffer::CudnnOffer(const ConvolutionProblem& problem, const PlanRules& rules, const PlanDevice& device)
    : CudnnOffer(graph_of(problem.shape, problem.pass), problem, rules, device) {}

CudnnOffer::CudnnOffer(CudnnDescriptor graph, const ConvolutionProblem& around, const PlanRules& rules,
                       const PlanDevice& device)
    : graph_(std::move(graph)), problem_(around), rules_(rules), device_(device) {}

/// Engines with their settings, the most promising first; then those that always work.
template <typename Visitor>
void CudnnOffer::visit(const Visitor& visitor) const {
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (const CudnnDescriptor& configuration : ask(graph_, device_, mode)) {
      if (!visitor(configuration)) return;
    }
  }
}

bool CudnnOffer::allows(const CudnnDescriptor& configuration) const {
  return is_allowed(notes_of(engine_of(configuration)), problem_, rules_);
}

std::optional<CudnnPlan> CudnnOffer::plan(const CudnnDescriptor& configuration) const {
  return allows(configuration) ? CudnnPlan::of(problem_, configuration, device_) : std::nullopt;
}

CudnnOffer::Count CudnnOffer::count() const {
  Count found;
  visit([&](const CudnnDescriptor& configuration) {
    found.offered += 1;
    found.allowed += allows(configuration) ? 1 : 0;
    return true;
  });
  return found;
}

std::optional<CudnnPlan> CudnnOffer::first() const {
  const std::size_t most = workspace_in_proportion(problem_.shape);
  std::optional<CudnnPlan> smallest;
  visit([&](const CudnnDescriptor& configuration) {
    auto next = plan(configuration);
    if (next && (!smallest || next->workspace_bytes() < smallest->workspace_bytes())) smallest = std::move(next);
    return !smallest || smallest->workspace_bytes() > most;
  });
  return smallest;
}

CudnnPlan CudnnOffer::favourite() const {
  auto found_one = first();
  if (!found_one) {
    const Count found = count();
    fail(ErrorKind::device, text("cuDNN has no plan for a ", describe(problem_), " (", found.offered, " offered, ",
                                 found.allowed, " allowed)"));
  }
  return std::move(*found_one);
}

std::vector<CudnnPlan> CudnnOffer::all() const {
  const std::size_t most = workspace_in_proportion(problem_.shape);
  std::vector<CudnnPlan> all;
  std::set<std::string> names;
  visit([&](const CudnnDescriptor& configuration) {
    auto next = plan(configuration);
    if (next && next->workspace_bytes() <= most && names.insert(next->name()).second) all.push_back(std::move(*next));
    return true;
  });
  if (all.empty()) all.push_back(favourite());
  return all;
}

void CudnnPlan::execute(cudnnHandle_t handle, const void* a, const void* b, void* c, void* workspace) const {
  std::int64_t names[3] = {kX, kWeight, kY};
  if (pass_ == ConvolutionPass::backward_data) std::swap(names[0], names[2]);    // dy, weight, dx
  if (pass_ == ConvolutionPass::backward_filter) std::swap(names[1], names[2]);  // x, dy, dweight
  const void* operands[3] = {a, b, c};
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 3, names)
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 3, operands)
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace)
      .finalize("operands of a convolution");
  check_cudnn(cudnnBackendExecute(handle, plan_.raw(), pack.raw()), "convolution");
}

}  // namespace retort::cuda
