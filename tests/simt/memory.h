// What the runner knows about every byte that kernels may touch: device buffers and shared variables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace simt {

/// Who made an access, and how many barriers of its block, and of its warp with its own fences, that thread had passed
/// by then.
struct Stamp {
  std::uint32_t block = 0;  ///< number in the grid
  std::uint32_t block_epoch = 0;
  std::uint32_t warp_epoch = 0;
  std::uint16_t thread = UINT16_MAX;  ///< number in the block
  std::uint8_t bytes = 0;             ///< of the two of a cell: 1, 2 or both
  bool atomic = false;

  bool set() const { return bytes != 0; }
};

class Behind;

struct Accessor {
  Stamp stamp;
  const std::uint32_t* heard;  ///< of each lane of its warp: the last warp_epoch that is ordered before this access
  const Behind* behind;        ///< other blocks' fences that are
};

/// Atomic accesses race with plain ones only. An atomic store is one that does not read what was there before.
enum class AccessKind { read, write, atomic, atomic_store };

/// The last accesses to two neighbouring bytes.
struct Cell {
  std::uint32_t round = 0;  ///< of the region, when the stamps were made; older ones count for nothing
  Stamp writes[2];          ///< to each of the bytes
  Stamp reads[2];           ///< by two threads, to either or both
};

class Region {
 public:
  Region(std::string name, std::byte* begin, std::size_t bytes, bool shared)
      : name(std::move(name)), begin(begin), bytes(bytes), shared(shared), cells_(bytes / 2 + 1), written_(bytes) {}

  const std::string name;
  std::byte* const begin;
  const std::size_t bytes;
  const bool shared;

  bool contains(const void* address) const {
    const auto* p = static_cast<const std::byte*>(address);
    return p >= begin && p < begin + bytes;
  }
  /// Of an address in it.
  std::size_t offset(const void* address) const {
    return static_cast<std::size_t>(static_cast<const std::byte*>(address) - begin);
  }
  /// Forgets who accessed what: a launch or, for shared variables, a block begins.
  void begin_round() { ++round_; }
  void forget_contents() { std::fill(written_.begin(), written_.end(), false); }
  void mark_written(std::size_t offset, std::size_t count, bool written = true);
  const std::vector<bool>& written() const { return written_; }
  void set_written(std::vector<bool> written) { written_ = std::move(written); }

  enum class Verdict { fine, uninitialised, race };
  /// Remembers an access unless it is wrong; with `race`, *other is the access that it meets.
  Verdict note(std::size_t offset, std::size_t count, AccessKind kind, const Accessor& by, Stamp* other);

 private:
  std::uint32_t round_ = 1;
  std::vector<Cell> cells_;
  std::vector<bool> written_;
};

/// All device buffers, and the shared variables of this program.
class Memory {
 public:
  static Memory& instance();

  void* allocate(std::size_t bytes);
  void release(void* pointer) noexcept;

  /// The region that holds the address, or null. Shared variables are looked up in the program's symbols.
  Region* find(const void* address);
  /// The buffer that begins at the address or holds it; null for shared variables and host memory.
  Region* find_buffer(const void* address);
  std::map<const std::byte*, std::unique_ptr<Region>>& buffers() { return buffers_; }
  std::vector<std::unique_ptr<Region>>& shared() { return shared_; }
  /// A sentence about where the address lies.
  std::string describe(const void* address);

  /// The block's dynamic shared memory.
  void* begin_block(std::size_t dynamic_shared_bytes);

 private:
  std::map<const std::byte*, std::unique_ptr<Region>> buffers_;
  std::vector<std::unique_ptr<Region>> shared_;  // one a variable that was ever touched
  std::vector<std::byte> dynamic_storage_;
  std::unique_ptr<Region> dynamic_;
  Region* last_ = nullptr;
};

}  // namespace simt
