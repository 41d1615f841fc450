// The progress bar of an epoch, for people: one line on standard error that is drawn over, and only on a terminal.
#pragma once

#include <chrono>

namespace retort {

class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `epoch` is 1-based. Draws a few times a second at most.
  void show(int epoch, int epochs, int batch, int batches);
  /// Makes room for a line of text.
  void clear();

 private:
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace retort
