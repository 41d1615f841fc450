// What a person sees of an epoch while it runs: one line on standard error that is drawn over, and only on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace retort {

/// Environment variable by which a parent that passes the lines on says whether there is a terminal: "on" or "off".
constexpr const char* progress_variable = "RETORT_PROGRESS";

/// Both streams are a terminal, or the variable says so.
bool on_terminal();

/// Where a run stands.
struct Position {
  int epoch = 0, epochs = 0;      ///< this one, from 1, and all
  int batch = 0, batches = 0;     ///< of this epoch, done and all
  std::int64_t batches_left = 0;  ///< of the run
  int images = 0;                 ///< a batch
  const char* metric_name = "accuracy";
  double metric = -1;         ///< of the last evaluation; negative: none yet
  double participation = -1;  ///< share of the epoch before; negative: everybody takes part
};

class Progress {
 public:
  Progress() : terminal_(on_terminal()) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Once a batch. Draws a few times a second at most. Speed and time left are those since the first call, evaluation
  /// included.
  void show(const Position& position);
  /// Makes room for a line of text.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  bool terminal_;
  bool drawn_ = false;
  Clock::time_point begun_{}, last_{};
  std::int64_t batches_ = -1;  ///< since begun_; -1: not begun
};

/// The bar and what stands beside it: "epoch 3/10 [====    ] 40/235  97.10 %  12 % take part  20300 images/s  1:05
/// left". `batches_per_second` 0: not known yet.
std::string progress_line(const Position& position, double batches_per_second);

/// "1:05", "2:03:10"; whole seconds.
std::string duration(double seconds);

}  // namespace retort
