// The tables that the steps of an epoch are fed from, in device memory at addresses that stay the same.
#pragma once

#include <vector>

#include "engine/context.h"
#include "kernels/step_feed.h"

namespace retort {

class EpochFeed {
 public:
  /// Room for `rows` rows in batches of `batch`.
  EpochFeed(Context& context, int rows, int batch)
      : context_(context),
        batch_(batch),
        order_(context.device(), static_cast<std::size_t>(rows) * sizeof(std::int32_t)),
        rates_(context.device(), static_cast<std::size_t>((rows + batch - 1) / batch) * sizeof(StepRates)) {}

  /// For the batches that begin from now on. `rates` may be empty: the state's own are then left alone.
  void fill(const std::vector<std::int32_t>& order, const std::vector<StepRates>& rates) {
    send(order_, order);
    send(rates_, rates);
    has_rates_ = !rates.empty();
  }

  StepFeed tables() const {
    return {static_cast<const std::int32_t*>(order_.data()),
            has_rates_ ? static_cast<const StepRates*>(rates_.data()) : nullptr, batch_};
  }

 private:
  template <typename T>
  void send(const DeviceBlock& to, const std::vector<T>& from) {
    const std::size_t bytes = from.size() * sizeof(T);
    RETORT_CHECK(bytes <= to.bytes(), "an epoch's tables hold ", to.bytes(), " bytes, not ", bytes);
    RETORT_LAUNCH(context_, 0, copy_bytes, to.data(), from.data(), bytes);
    context_.synchronize();
  }

  Context& context_;
  int batch_;
  bool has_rates_ = false;
  DeviceBlock order_, rates_;
};

}  // namespace retort
