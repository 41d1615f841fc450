// A backend as a table of its kernels: a test is written once against the table and runs on every backend there is.
// A backend without some kernel (a simulator, a port in progress) leaves the entry null and the test says so.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "kernels/affine_sample.h"
#include "kernels/augmentation.h"
#include "kernels/batch_norm.h"
#include "kernels/blend.h"
#include "kernels/colour_filter.h"
#include "kernels/commit.h"
#include "kernels/contrary_loss.h"
#include "kernels/convolution.h"
#include "kernels/cpu/threads.h"
#include "kernels/distillation_loss.h"
#include "kernels/elementwise.h"
#include "kernels/error.h"
#include "kernels/fixed_operations.h"
#include "kernels/fused_convolution.h"
#include "kernels/gaussian_loss.h"
#include "kernels/linear.h"
#include "kernels/memory.h"
#include "kernels/optimizer.h"
#include "kernels/pooling.h"
#include "kernels/queue.h"
#include "kernels/recall.h"
#include "kernels/regulation.h"
#include "kernels/squared_loss.h"
#include "kernels/step_feed.h"
#include "kernels/transform_draws.h"

// clang-format off
#define RETORT_EACH_KERNEL(X, space)                                                                      \
  X(space, allocate) X(space, deallocate) X(space, copy_bytes) X(space, fill_zero)                        \
  X(space, synchronize) X(space, conv2d_workspace) X(space, conv2d_forward)                               \
  X(space, conv2d_backward_data) X(space, conv2d_filter_gradient_type) X(space, conv2d_backward_filter)   \
  X(space, fused_convolution_workspace) X(space, fused_convolution) X(space, linear_workspace)            \
  X(space, linear_forward) X(space, linear_backward_data) X(space, linear_backward_weight)                \
  X(space, batch_norm_workspace) X(space, batch_norm_forward_training)                                    \
  X(space, batch_norm_forward_evaluation) X(space, batch_norm_backward_training)                          \
  X(space, batch_norm_backward_evaluation) X(space, pool2d_workspace) X(space, max_pool2d_forward)        \
  X(space, max_pool2d_backward) X(space, avg_pool2d_forward) X(space, avg_pool2d_backward)                \
  X(space, global_avg_pool_forward) X(space, global_avg_pool_backward) X(space, relu_forward)             \
  X(space, relu_backward) X(space, add) X(space, convert) X(space, widen_all) X(space, dropout)           \
  X(space, regulated_cross_entropy) X(space, divide_by_participants) X(space, distillation_loss)          \
  X(space, regulated_squared_error) X(space, gaussian_loss) X(space, angular_error) X(space, equalize)    \
  X(space, cutout) X(space, invert) X(space, contrary_loss) X(space, transform_draws_forward)                              \
  X(space, transform_draws_backward) X(space, encoder_features_forward)                                   \
  X(space, encoder_features_backward) X(space, colour_filter_forward) X(space, colour_filter_workspace)   \
  X(space, colour_filter_backward) X(space, blend_forward) X(space, blend_backward)                       \
  X(space, affine_sample_forward) X(space, affine_sample_backward) X(space, gradient_norm_workspace)      \
  X(space, gradient_norm) X(space, judge_step) X(space, sgd_update) X(space, adamw_update)                \
  X(space, commit_step) X(space, gather_augment) X(space, gather_floats) X(space, queue_push)             \
  X(space, queue_pop) X(space, begin_step) X(space, begin_queued_step) X(space, recall_participation)
// clang-format on

namespace retort::test {

struct Backend {
  const char* name = "";
  Device device = Device::cpu;
  bool (*available)() = nullptr;
  bool (*has_bf16)() = nullptr;        ///< whether convolutions and matrix products take bf16
  /// In bf16, convolutions round the sum before a bias is added.
  bool rounds_between = false;
  void (*set_threads)(int) = nullptr;  ///< null where the host's threads play no part
#define RETORT_MEMBER(space, kernel) decltype(&space::kernel) kernel = nullptr;
  RETORT_EACH_KERNEL(RETORT_MEMBER, ::retort::cpu)
#undef RETORT_MEMBER
};

#define RETORT_ASSIGN(space, kernel) backend.kernel = &space::kernel;

inline const Backend& cpu_backend() {
  static const Backend cpu = [] {
    Backend backend;
    backend.name = "cpu";
    backend.available = [] { return true; };
    backend.has_bf16 = &::retort::cpu::has_bf16;
    backend.set_threads = &::retort::cpu::set_threads;
    RETORT_EACH_KERNEL(RETORT_ASSIGN, ::retort::cpu)
    return backend;
  }();
  return cpu;
}

/// Where CUDA is not built, kernels/no_cuda.cpp throws and the probe says so.
inline const Backend& cuda_backend() {
  static const Backend cuda = [] {
    Backend backend;
    backend.name = "cuda";
    backend.device = Device::cuda;
    backend.has_bf16 = [] { return true; };
    backend.rounds_between = true;
    backend.available = [] {
      try {
        cuda::deallocate(cuda::allocate(256));
        return true;
      } catch (const Error&) {
        return false;
      }
    };
    RETORT_EACH_KERNEL(RETORT_ASSIGN, ::retort::cuda)
    return backend;
  }();
  return cuda;
}

/// Another runner (a SIMT simulator, a new device) is one more entry.
inline std::vector<const Backend*>& backends() {
  static std::vector<const Backend*> all{&cpu_backend(), &cuda_backend()};
  return all;
}

/// Says a thing once a run, however many tests have cause to.
inline void note_once(const std::string& message) {
  static std::set<std::string> said;
  if (said.insert(message).second) MESSAGE(message);
}

/// Whether convolutions of this type can be computed here.
inline bool multiplies(const Backend& backend, DType dtype) {
  if (dtype != DType::bf16 || backend.has_bf16()) return true;
  note_once(std::string("backend ") + backend.name + " has no bf16 convolutions here: their tests are skipped");
  return false;
}

/// RETORT_TEST_BACKENDS=cuda runs the tests on the backends that it names, without the others.
inline bool asked_for(const Backend& backend) {
  const char* names = std::getenv("RETORT_TEST_BACKENDS");
  return names == nullptr || ("," + std::string(names) + ",").find("," + std::string(backend.name) + ",") != std::string::npos;
}

inline void run_on_backends(void (*body)(const Backend&)) {
  for (const Backend* backend : backends()) {
    if (!asked_for(*backend)) continue;
    if (!backend->available()) {
      note_once(std::string("backend ") + backend->name + " is not available here: its tests are skipped");
      continue;
    }
    INFO("backend: " << std::string(backend->name));
    body(*backend);
  }
}

}  // namespace retort::test

#define RETORT_BACKEND_TEST(function, title)                    \
  static void function(const ::retort::test::Backend& backend); \
  TEST_CASE(title) {                                            \
    ::retort::test::run_on_backends(&function);                 \
  }                                                             \
  static void function(const ::retort::test::Backend& backend)

/// A TEST_CASE whose body runs once a backend, which it knows as `backend`.
#define BACKEND_TEST(title) RETORT_BACKEND_TEST(DOCTEST_ANONYMOUS(retort_backend_test_), title)

/// First line of a body: the kernel it cannot do without.
#define NEEDS(kernel)                                                          \
  do {                                                                         \
    if (backend.kernel == nullptr) {                                           \
      ::retort::test::note_once(std::string("backend ") + backend.name +       \
                                " has no " #kernel ": its tests are skipped"); \
      return;                                                                  \
    }                                                                          \
  } while (false)
