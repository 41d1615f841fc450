// Arena: one device allocation from which tensors are cut, first fit, lowest address first. A step that asks for the
// same blocks in the same order gets the same addresses, which is what a CUDA graph needs; a block returns to the
// arena when its last tensor goes, so the gradients of the backward pass reuse the memory of spent activations.
//
// Life of an arena: `measure()`, run one step without launching anything, `reserve()`, train. An arena that was never
// measured takes each block from the heap (small programs and tests; guard words behind every block are checked).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/types.h"

namespace retort {

class Arena {
 public:
  Arena(Device device, std::string name);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// A block of at least `bytes` bytes, aligned to 256, returned when the last copy of the pointer goes. `who` names
  /// the owner in reports. Throws Error(memory) when a reserved arena is full.
  std::shared_ptr<void> allocate(std::size_t bytes, const char* who);

  /// From here on allocate() only counts: its pointers must not be dereferenced.
  void measure();
  bool measuring() const { return mode_ == Mode::measuring; }
  /// Bytes in use at the worst moment so far.
  std::size_t high_water() const { return high_water_; }
  /// One device allocation of max(high_water, bytes). Nothing may be in use.
  void reserve(std::size_t bytes = 0);
  std::size_t reserved() const { return reserved_; }

  /// Who held how many bytes at the worst moment, largest first.
  std::vector<std::pair<std::string, std::size_t>> owners_at_peak() const;
  const std::string& name() const { return name_; }

 private:
  enum class Mode { heap, measuring, reserved };
  struct State;  // what blocks must reach when they outlive a call: offsets in use
  std::size_t place(std::size_t bytes);
  void note_peak();

  Device device_;
  std::string name_;
  Mode mode_ = Mode::heap;
  std::shared_ptr<State> state_;
  std::size_t high_water_ = 0;
  std::size_t reserved_ = 0;
  std::map<std::string, std::size_t> peak_owners_;
};

}  // namespace retort
