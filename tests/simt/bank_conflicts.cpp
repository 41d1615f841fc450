#include "tests/simt/bank_conflicts.h"

#include <algorithm>
#include <array>

namespace simt {
namespace {

constexpr std::size_t kBanks = 32;
constexpr std::size_t kWordBytes = 4;

}  // namespace

BankUse bank_use(const std::vector<SharedAccess>& request) {
  std::size_t widest = kWordBytes;
  for (const SharedAccess& access : request) widest = std::max(widest, access.bytes);
  const int lanes_at_once = 32 * static_cast<int>(kWordBytes) / static_cast<int>(widest);
  BankUse use;
  for (int first = 0; first < 32; first += lanes_at_once) {
    std::array<std::vector<std::uintptr_t>, kBanks> words;  // that each has to give
    for (const SharedAccess& access : request) {
      if (access.lane < first || access.lane >= first + lanes_at_once) continue;
      const std::uintptr_t last = (access.address + access.bytes - 1) / kWordBytes;
      for (std::uintptr_t word = access.address / kWordBytes; word <= last; ++word) {
        std::vector<std::uintptr_t>& bank = words[word % kBanks];
        if (std::find(bank.begin(), bank.end(), word) == bank.end()) bank.push_back(word);
      }
    }
    std::size_t passes = 0;
    for (const auto& bank : words) passes = std::max(passes, bank.size());
    use.passes += passes;
    use.conflicts += passes == 0 ? 0 : passes - 1;
  }
  return use;
}

}  // namespace simt
