// oneDNN behind a small door: one engine, one stream, calls whose arguments are only pointers, and a cache of plans.
#pragma once

#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/types.h"

namespace retort::cpu::onednn {

/// Never destroyed, so that nothing depends on the order of static destructors.
const dnnl::engine& engine();
const dnnl::stream& stream();

dnnl::memory::data_type data_type(DType type);

/// A primitive whose scratchpad the caller provides.
dnnl::primitive_attr user_scratchpad();

/// A list of post-operations that adds a tensor like `residual` (null: none), then takes the ReLU.
dnnl::post_ops residual_and_relu(const dnnl::memory::desc* residual, bool relu);

/// Rethrows the dnnl::error being handled as a retort::Error that says what was being done.
[[noreturn]] void rethrow(const dnnl::error& error, const std::string& what);

struct NoHint {};

/// The first of oneDNN's implementations of an operation that `avoid(name)` lets pass, or the very first if none does.
/// This is the only place that knows how descriptors are made: 2.x has operation descriptors, 3.x has not.
template <typename Primitive, typename Avoid, typename Hint, typename... Arguments>
typename Primitive::primitive_desc describe_with(const dnnl::primitive_attr& attributes, const Avoid& avoid,
                                                 const Hint& hint, const Arguments&... arguments) {
  using Description = typename Primitive::primitive_desc;
  constexpr bool hinted = !std::is_same_v<Hint, NoHint>;
#if DNNL_VERSION_MAJOR >= 3
  const auto make = [&] {
    if constexpr (hinted) {
      return Description(engine(), arguments..., hint, attributes);
    } else {
      return Description(engine(), arguments..., attributes);
    }
  };
#else
  const typename Primitive::desc operation(arguments...);  // next_impl() below still reads it
  const auto make = [&] {
    if constexpr (hinted) {
      return Description(operation, attributes, engine(), hint);
    } else {
      return Description(operation, attributes, engine());
    }
  };
#endif
  Description description = make();
  while (avoid(description.impl_info_str())) {
    if (!description.next_impl()) return make();
  }
  return description;
}

/// The same with nothing but a scratchpad of the caller's.
template <typename Primitive, typename Avoid, typename Hint, typename... Arguments>
typename Primitive::primitive_desc describe(const Avoid& avoid, const Hint& hint, const Arguments&... arguments) {
  return describe_with<Primitive>(user_scratchpad(), avoid, hint, arguments...);
}

/// A primitive with its memory objects, made once. A run only exchanges the pointers that changed.
class Call {
 public:
  Call(dnnl::primitive primitive, std::initializer_list<std::pair<int, dnnl::memory::desc>> arguments);
  /// One pointer per argument, in the order of the constructor.
  void run(std::initializer_list<const void*> pointers);

 private:
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> arguments_;
  std::vector<const void*> pointers_;
};

/// A copy from one layout (or type) to another with its scratchpad; empty if there is nothing to do.
class Reorder {
 public:
  Reorder() = default;
  Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to);
  bool needed() const { return call_.has_value(); }
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  void run(const void* from, void* to, void* scratch) { call_->run({from, to, scratch}); }

 private:
  std::optional<Call> call_;
  std::size_t scratch_bytes_ = 0;
};

/// Plans by key. A plan's memory objects carry the pointers of the call in progress, so a caller holds the lock
/// while it uses one; kernels use every core anyway.
template <typename Key, typename Plan, typename Hash>
class PlanCache {
 public:
  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  template <typename Make>
  Plan& get(const Key& key, const Make& make) {
    auto& plan = plans_[key];
    if (!plan) plan = std::make_unique<Plan>(make());
    return *plan;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<Key, std::unique_ptr<Plan>, Hash> plans_;
};

/// Mixes integers into a hash.
template <typename... Integers>
std::size_t hash_of(Integers... values) {
  std::size_t hash = 0xcbf29ce484222325U;
  ((hash = (hash ^ static_cast<std::size_t>(values)) * 0x100000001b3U, hash ^= hash >> 29), ...);
  return hash;
}

/// Hands out 64-byte aligned pieces of a workspace; with a null base it only counts.
class Pieces {
 public:
  static constexpr std::size_t kAlign = 64;
  explicit Pieces(void* base) {
    const auto address = reinterpret_cast<std::uintptr_t>(base);
    next_ = (address + kAlign - 1) / kAlign * kAlign;
    begin_ = next_;
  }
  void* take(std::size_t bytes) {
    void* piece = reinterpret_cast<void*>(next_);
    next_ += (bytes + kAlign - 1) / kAlign * kAlign;
    return piece;
  }
  /// What a workspace must have, whatever its alignment.
  std::size_t needed() const { return next_ == begin_ ? 0 : next_ - begin_ + kAlign; }

 private:
  std::uintptr_t begin_ = 0, next_ = 0;
};

}  // namespace retort::cpu::onednn
