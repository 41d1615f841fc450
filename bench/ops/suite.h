// Which benchmarks there are: every family adds its own, named family/pass/shape/dtype.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "bench/ops/run.h"

namespace retort::bench {

/// Layers of real networks at their batch size, the small cases of the tests, operands that no cache holds, or all. On
/// a GPU `networks` takes the large ones in.
enum class Sizes : std::uint8_t { networks, cases, large, all };

class Suite {
 public:
  Suite(const Backend& backend, const Floors& floors, Sizes sizes, const DeviceTimer* timer)
      : backend_(backend), floors_(floors), sizes_(sizes), timer_(timer) {}

  bool takes(Sizes sizes) const {
    if (sizes_ == Sizes::all || sizes_ == sizes) return true;
    return sizes == Sizes::large && sizes_ == Sizes::networks && backend_.device == Device::cuda;
  }

  template <typename Case>
  std::vector<Case> pick(const std::vector<Case>& networks, const std::vector<Case>& small,
                         const std::vector<Case>& large = {}) const {
    std::vector<Case> picked;
    const auto add = [&](Sizes sizes, const std::vector<Case>& some) {
      if (takes(sizes)) picked.insert(picked.end(), some.begin(), some.end());
    };
    add(Sizes::networks, networks);
    add(Sizes::large, large);
    add(Sizes::cases, small);
    return picked;
  }

  bool is_native(DType dtype) const { return bench::is_native(backend_, dtype); }

  /// `id` is a case's: its words joined by dashes, without the type, are the shape in the name.
  void add(const std::string& family, const std::string& pass, const std::string& id, DType dtype,
           const std::function<void(Run&)>& body);
  /// One that times itself, on a GPU alone: it returns seconds.
  void add_timed(const std::string& family, const std::string& pass, const std::string& id,
                 const std::function<double()>& body);

 private:
  const Backend& backend_;
  Floors floors_;
  Sizes sizes_;
  const DeviceTimer* timer_;
  std::set<std::string> names_;  // a case table may hold a case twice
};

void add_convolution(Suite& suite);
void add_linear(Suite& suite);
void add_batch_norm(Suite& suite);
void add_pooling(Suite& suite);
void add_elementwise(Suite& suite);
void add_regulation(Suite& suite);
void add_distillation_loss(Suite& suite);
void add_squared_loss(Suite& suite);
void add_optimizer(Suite& suite);
void add_commit(Suite& suite);
void add_augmentation(Suite& suite);
void add_learned_augmentation(Suite& suite);
void add_queue(Suite& suite);
void add_launch(Suite& suite);

}  // namespace retort::bench
