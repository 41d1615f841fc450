// When Winograd is worth it.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "kernels/cpu/vector.h"
#include "kernels/cpu/winograd.h"

namespace retort::cpu::winograd {
namespace {

constexpr int kBlock = 16;  // of channels: a multiple of every kLanes

#if defined(__AVX512F__) || defined(__FMA__)
constexpr bool kFast = true;
#else
constexpr bool kFast = false;  // not measured
#endif

std::atomic<Use>& current_use() {
  static std::atomic<Use> use = [] {
    const char* setting = std::getenv("RETORT_WINOGRAD");
    return setting != nullptr && std::strcmp(setting, "0") == 0 ? Use::never : Use::where_faster;
  }();
  return use;
}

/// A direct convolution skips the taps that fall into the padding, Winograd does not, and it fills up odd images.
/// Counted in multiplications per pair of channels. Small images gain too little to pay for the transforms, and few
/// tiles too little to pay for that of the weights.
bool faster(const Conv2dShape& s) {
  const std::int64_t tiles = (std::int64_t{s.height} + 3) / 4 * ((s.width + 3) / 4);
  const std::int64_t direct = (std::int64_t{3} * s.height - 2) * (3 * s.width - 2);
  const std::int64_t enough = std::max(kBlock, std::max(s.in_channels, s.out_channels) / kBlock);
  return kFast && s.batch * tiles >= enough && 10 * direct >= 14 * 36 * tiles;
}

}  // namespace

bool supports(const Conv2dShape& s) {
  return s.dtype == DType::f32 && s.kernel_h == 3 && s.kernel_w == 3 && s.stride == 1 && s.padding == 1 &&
         s.in_channels % kBlock == 0 && s.out_channels % kBlock == 0 && s.batch > 0 && s.height > 0 && s.width > 0 &&
         s.in_channels > 0 && s.out_channels > 0;
}

void set_use(Use use) {
  current_use() = use;
}

bool in_use() {
  const Use use = current_use();
  return use == Use::wherever_possible || (use == Use::where_faster && kFast);
}

bool chosen(const Conv2dShape& shape) {
  const Use use = current_use();
  return use != Use::never && supports(shape) && (use == Use::wherever_possible || faster(shape));
}

}  // namespace retort::cpu::winograd
