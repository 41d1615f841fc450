// Convolutions by oneDNN, unless winograd.h has something faster. Activations stay NHWC; weights take whatever layout a
// primitive prefers, in the workspace.
#include "kernels/convolution.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/onednn.h"
#include "kernels/cpu/threads.h"
#include "kernels/cpu/winograd.h"
#include "kernels/error.h"
#include "kernels/fused_convolution.h"

namespace retort::cpu {
namespace {

using dnnl::memory;
using onednn::Call;
using onednn::Pieces;
using onednn::Reorder;
using Tag = memory::format_tag;

using Pass = ConvolutionPass;

/// Threads are part of the key because oneDNN divides the work, and sizes its scratchpad, when a primitive is made.
struct Key {
  Conv2dShape shape;
  Pass pass;
  bool bias;
  int threads;
  bool fused = false, residual = false, relu = false;  // with what kernels/fused_convolution.h adds to a forward pass
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    const Conv2dShape& s = key.shape;
    return onednn::hash_of(s.batch, s.height, s.width, s.in_channels, s.out_channels, s.kernel_h, s.kernel_w, s.stride,
                           s.padding, static_cast<int>(s.dtype), static_cast<int>(key.pass), key.bias, key.threads,
                           key.fused, key.residual, key.relu);
  }
};

std::string describe(const Key& key) {
  const Conv2dShape& s = key.shape;
  return text("convolution ", name_of(key.pass), " of ", s.batch, "x", s.height, "x", s.width, "x", s.in_channels, " (",
              s.dtype == DType::bf16 ? "bf16" : "f32", ") to ", s.out_channels, " channels, kernel ", s.kernel_h, "x",
              s.kernel_w, ", stride ", s.stride, ", padding ", s.padding, ", ", key.threads, " threads",
              key.residual ? ", residual" : "", key.relu ? ", ReLU" : "");
}

void check(const Key& key) {
  const Conv2dShape& s = key.shape;
  RETORT_CHECK(s.batch > 0 && s.height > 0 && s.width > 0 && s.in_channels > 0 && s.out_channels > 0 &&
                   s.kernel_h > 0 && s.kernel_w > 0 && s.stride > 0 && s.padding >= 0,
               "impossible ", describe(key));
  RETORT_CHECK(s.height + 2 * s.padding >= s.kernel_h && s.width + 2 * s.padding >= s.kernel_w,
               "the kernel is larger than the padded image: ", describe(key));
  RETORT_CHECK(s.dtype == DType::f32 || s.dtype == DType::bf16, "convolutions take f32 or bf16: ", describe(key));
}

/// The tensors of a shape as oneDNN sees them: logical NCHW and OIHW dimensions, NHWC and OHWI in memory.
struct Tensors {
  memory::dims stride, before, after;
  memory::dims weight_dims;
  memory::data_type type;
  memory::desc x, y, bias;

  Tensors(const Conv2dShape& s, bool with_bias)
      : stride{s.stride, s.stride},
        before{s.padding, s.padding},
        after{after_padding(s.out_height(), s.kernel_h, s.height, s),
              after_padding(s.out_width(), s.kernel_w, s.width, s)},
        weight_dims{s.out_channels, s.in_channels, s.kernel_h, s.kernel_w},
        type(onednn::data_type(s.dtype)),
        x({s.batch, s.in_channels, s.height, s.width}, type, Tag::nhwc),
        y({s.batch, s.out_channels, s.out_height(), s.out_width()}, type, Tag::nhwc) {
    if (with_bias) bias = memory::desc({s.out_channels}, memory::data_type::f32, Tag::a);
  }

  memory::desc weight(Tag tag) const { return {weight_dims, type, tag}; }
  memory::desc bias_like_x() const { return {{weight_dims[0]}, type, Tag::a}; }
  memory::desc weight_gradient(Tag tag) const { return {weight_dims, memory::data_type::f32, tag}; }

 private:
  /// A stride may leave rows at the end unread: then the padding there is less, even negative.
  static memory::dim after_padding(int out, int kernel, int in, const Conv2dShape& s) {
    return static_cast<memory::dim>(out - 1) * s.stride + kernel - in - s.padding;
  }
};

/// Whether a later implementation in oneDNN's list is to be taken instead. The rules are fixed, because timing at run
/// time would make results depend on the machine's load.
bool avoid(const Conv2dShape& s, Pass pass, const char* implementation) {
  const bool pointwise = s.kernel_h == 1 && s.kernel_w == 1;
  const auto is = [implementation](const char* part) { return std::strstr(implementation, part) != nullptr; };
  if (pass == Pass::backward_filter) return false;
  // The bf16 1x1 kernels of oneDNN 2.6.3 sum an odd number of channels wrongly where images have 30, 60, ... pixels.
  const int summed = pass == Pass::forward ? s.in_channels : s.out_channels;
  if (pointwise && s.dtype == DType::bf16 && summed % 2 != 0 && is("1x1")) return true;
  if (pass == Pass::backward_data) return false;
  // Few input channels leave a batch-reduce matrix product almost nothing to reduce over.
  if (s.in_channels < 16 && is("brgconv")) return true;
  // The 1x1 kernels copy a strided input before they read it; the direct kernels read it in place.
  return pointwise && s.stride > 1 && is("1x1");
}

auto describe_forward(const Conv2dShape& s, const Tensors& t) {
  return onednn::describe<dnnl::convolution_forward>([&s](const char* name) { return avoid(s, Pass::forward, name); },
                                                     onednn::NoHint(), dnnl::prop_kind::forward_training,
                                                     dnnl::algorithm::convolution_direct, t.x, t.weight(Tag::any),
                                                     t.bias, t.y, t.stride, t.before, t.after);
}

auto describe_fused(const Key& key, const Tensors& t) {
  dnnl::primitive_attr attributes = onednn::user_scratchpad();
  attributes.set_post_ops(onednn::residual_and_relu(key.residual ? &t.y : nullptr, key.relu));
  const auto avoid_here = [&key](const char* name) {
    // The convolutions of oneDNN 2.6.3 that are matrix products add the wrong elements of a tensor.
    if (key.residual && std::strstr(name, "gemm") != nullptr) return true;
    return avoid(key.shape, Pass::forward, name);
  };
  return onednn::describe_with<dnnl::convolution_forward>(
      attributes, avoid_here, onednn::NoHint(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      t.x, t.weight(Tag::any), t.bias_like_x(), t.y, t.stride, t.before, t.after);
}

auto describe_data(const Conv2dShape& s, const Tensors& t) {
  return onednn::describe<dnnl::convolution_backward_data>(
      [&s](const char* name) { return avoid(s, Pass::backward_data, name); }, describe_forward(s, t),
      dnnl::algorithm::convolution_direct, t.x, t.weight(Tag::any), t.y, t.stride, t.before, t.after);
}

auto describe_filter(const Conv2dShape& s, const Tensors& t) {
  return onednn::describe<dnnl::convolution_backward_weights>(
      [&s](const char* name) { return avoid(s, Pass::backward_filter, name); }, describe_forward(s, t),
      dnnl::algorithm::convolution_direct, t.x, t.weight_gradient(Tag::any), t.bias, t.y, t.stride, t.before, t.after);
}

/// The convolution, the copy of the weights (or of their gradient) between OHWI and the primitive's own layout, and
/// the sizes of what they keep in the workspace.
struct Plan {
  Call call;
  Reorder reorder;
  std::size_t weight_bytes = 0, scratch_bytes = 0;

  /// The two pieces of the workspace: reordered weights and scratchpad (used by one primitive at a time).
  struct Workspace {
    void* weight;
    void* scratch;
  };
  Workspace divide(Pieces& pieces) const {
    return {pieces.take(reorder.needed() ? weight_bytes : 0), pieces.take(scratch_bytes)};
  }
};

template <typename Primitive, typename Description>
Plan assemble(const Description& description, Reorder reorder, const memory::desc& weight,
              std::initializer_list<std::pair<int, memory::desc>> arguments) {
  const std::size_t scratch = std::max(description.scratchpad_desc().get_size(), reorder.scratch_bytes());
  return Plan{Call(Primitive(description), arguments), std::move(reorder), weight.get_size(), scratch};
}

Plan plan_forward(const Key& key) {
  const Tensors t(key.shape, key.bias);
  const auto pd = describe_forward(key.shape, t);
  return assemble<dnnl::convolution_forward>(pd, Reorder(t.weight(Tag::ohwi), pd.weights_desc()), pd.weights_desc(),
                                             {{DNNL_ARG_SRC, pd.src_desc()},
                                              {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                                              {DNNL_ARG_BIAS, t.bias},
                                              {DNNL_ARG_DST, pd.dst_desc()},
                                              {DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc()}});
}

/// A plan without residual has the argument too: a null pointer that nothing reads.
Plan plan_fused(const Key& key) {
  const Tensors t(key.shape, false);
  const auto pd = describe_fused(key, t);
  const int residual = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;
  return assemble<dnnl::convolution_forward>(pd, Reorder(t.weight(Tag::ohwi), pd.weights_desc()), pd.weights_desc(),
                                             {{DNNL_ARG_SRC, pd.src_desc()},
                                              {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                                              {DNNL_ARG_BIAS, t.bias_like_x()},
                                              {residual, t.y},
                                              {DNNL_ARG_DST, pd.dst_desc()},
                                              {DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc()}});
}

Plan plan_data(const Key& key) {
  const Tensors t(key.shape, false);
  const auto pd = describe_data(key.shape, t);
  return assemble<dnnl::convolution_backward_data>(pd, Reorder(t.weight(Tag::ohwi), pd.weights_desc()),
                                                   pd.weights_desc(),
                                                   {{DNNL_ARG_DIFF_DST, pd.diff_dst_desc()},
                                                    {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                                                    {DNNL_ARG_DIFF_SRC, pd.diff_src_desc()},
                                                    {DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc()}});
}

Plan plan_filter(const Key& key) {
  const Tensors t(key.shape, key.bias);
  const auto pd = describe_filter(key.shape, t);
  return assemble<dnnl::convolution_backward_weights>(pd, Reorder(pd.diff_weights_desc(), t.weight_gradient(Tag::ohwi)),
                                                      pd.diff_weights_desc(),
                                                      {{DNNL_ARG_SRC, pd.src_desc()},
                                                       {DNNL_ARG_DIFF_DST, pd.diff_dst_desc()},
                                                       {DNNL_ARG_DIFF_WEIGHTS, pd.diff_weights_desc()},
                                                       {DNNL_ARG_DIFF_BIAS, t.bias},
                                                       {DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc()}});
}

using Cache = onednn::PlanCache<Key, Plan, KeyHash>;

Cache& cache() {
  static auto* const instance = new Cache;  // outlives every static destructor
  return *instance;
}

Plan& plan_of(const Key& key) {
  return cache().get(key, [&key] {
    check(key);
    if (key.fused) return plan_fused(key);
    switch (key.pass) {
      case Pass::forward:
        return plan_forward(key);
      case Pass::backward_data:
        return plan_data(key);
      case Pass::backward_filter:
        return plan_filter(key);
    }
    fail(ErrorKind::internal, "unknown pass");
  });
}

/// Finds the plan, lays it over the launch's workspace and lets `use` run it.
template <typename Use>
void with_plan(const Launch& launch, const Key& key, const Use& use) {
  const auto lock = cache().lock();
  try {
    Plan& plan = plan_of(key);
    Pieces pieces(launch.workspace);
    const Plan::Workspace workspace = plan.divide(pieces);
    RETORT_CHECK_AS(ErrorKind::internal, pieces.needed() <= launch.workspace_bytes, "a workspace of ",
                    launch.workspace_bytes, " bytes where ", pieces.needed(), " are needed: ", describe(key));
    use(plan, workspace);
  } catch (const dnnl::error& error) {
    onednn::rethrow(error, describe(key));
  }
}
template <typename Use>
void with_plan(const Launch& launch, const Conv2dShape& shape, Pass pass, bool bias, const Use& use) {
  with_plan(launch, {shape, pass, bias, threads()}, use);
}

Key key_of(const FusedConvolution& s) {
  return {s.conv, Pass::forward, true, threads(), true, s.residual, s.relu};
}

}  // namespace

std::size_t conv2d_workspace(const Conv2dShape& shape, ConvolutionPass pass, Precision) {
  if (winograd::chosen(shape)) return winograd::workspace(shape);
  std::size_t bytes = 0;
  const auto lock = cache().lock();
  for (const bool bias : {false, true}) {
    if (pass == Pass::backward_data && bias) continue;
    const Key key{shape, pass, bias, threads()};
    try {
      Pieces pieces(nullptr);
      plan_of(key).divide(pieces);
      bytes = std::max(bytes, pieces.needed());
    } catch (const dnnl::error& error) {
      onednn::rethrow(error, describe(key));
    }
  }
  return bytes;
}

void conv2d_forward(const Launch& launch, const Conv2dShape& shape, const void* x, const void* weight,
                    const float* bias, void* y) {
  if (winograd::chosen(shape)) {
    return winograd::forward(launch, shape, static_cast<const float*>(x), static_cast<const float*>(weight), bias,
                             static_cast<float*>(y));
  }
  with_plan(launch, shape, Pass::forward, bias != nullptr, [&](Plan& plan, const Plan::Workspace& workspace) {
    if (plan.reorder.needed()) plan.reorder.run(weight, workspace.weight, workspace.scratch);
    plan.call.run({x, plan.reorder.needed() ? workspace.weight : weight, bias, y, workspace.scratch});
  });
}

void conv2d_backward_data(const Launch& launch, const Conv2dShape& shape, const void* dy, const void* weight,
                          void* dx) {
  if (winograd::chosen(shape)) {
    return winograd::backward_data(launch, shape, static_cast<const float*>(dy), static_cast<const float*>(weight),
                                   static_cast<float*>(dx));
  }
  with_plan(launch, shape, Pass::backward_data, false, [&](Plan& plan, const Plan::Workspace& workspace) {
    if (plan.reorder.needed()) plan.reorder.run(weight, workspace.weight, workspace.scratch);
    plan.call.run({dy, plan.reorder.needed() ? workspace.weight : weight, dx, workspace.scratch});
  });
}

DType conv2d_filter_gradient_type(const Conv2dShape&) {
  return DType::f32;
}

void conv2d_backward_filter(const Launch& launch, const Conv2dShape& shape, const void* x, const void* dy,
                            void* dweight, float* dbias) {
  if (winograd::chosen(shape)) {
    return winograd::backward_filter(launch, shape, static_cast<const float*>(x), static_cast<const float*>(dy),
                                     static_cast<float*>(dweight), dbias);
  }
  with_plan(launch, shape, Pass::backward_filter, dbias != nullptr, [&](Plan& plan, const Plan::Workspace& workspace) {
    void* const gradient = plan.reorder.needed() ? workspace.weight : dweight;
    plan.call.run({x, dy, gradient, dbias, workspace.scratch});
    if (plan.reorder.needed()) plan.reorder.run(gradient, dweight, workspace.scratch);
  });
}

std::size_t fused_convolution_workspace(const FusedConvolution& shape, Precision) {
  if (winograd::chosen(shape.conv)) return winograd::workspace(shape.conv);
  const Key key = key_of(shape);
  const auto lock = cache().lock();
  try {
    Pieces pieces(nullptr);
    plan_of(key).divide(pieces);
    return pieces.needed();
  } catch (const dnnl::error& error) {
    onednn::rethrow(error, describe(key));
  }
}

void fused_convolution(const Launch& launch, const FusedConvolution& shape, const void* x, const void* weight,
                       const void* bias, const void* residual, void* y) {
  if (winograd::chosen(shape.conv)) {
    return winograd::fused(launch, shape, static_cast<const float*>(x), static_cast<const float*>(weight),
                           static_cast<const float*>(bias), static_cast<const float*>(residual),
                           static_cast<float*>(y));
  }
  with_plan(launch, key_of(shape), [&](Plan& plan, const Plan::Workspace& workspace) {
    if (plan.reorder.needed()) plan.reorder.run(weight, workspace.weight, workspace.scratch);
    plan.call.run({x, plan.reorder.needed() ? workspace.weight : weight, bias, residual, y, workspace.scratch});
  });
}

}  // namespace retort::cpu
