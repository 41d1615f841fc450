#include "distill/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "distill/task.h"

namespace retort {
namespace {

constexpr int width = 24;
constexpr auto pause = std::chrono::milliseconds(200);

template <typename... Values>
std::string formatted(const char* format, Values... values) {
  char buffer[160];
  std::snprintf(buffer, sizeof buffer, format, values...);
  return buffer;
}

}  // namespace

bool on_terminal() {
  const char* said = std::getenv(progress_variable);
  if (said != nullptr) return std::string_view(said) == "on";
  return isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

std::string duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  const int h = static_cast<int>(whole / 3600), m = static_cast<int>(whole / 60 % 60), s = static_cast<int>(whole % 60);
  return h > 0 ? formatted("%d:%02d:%02d", h, m, s) : formatted("%d:%02d", m, s);
}

std::string progress_line(const Position& p, double batches_per_second) {
  const auto done = static_cast<std::size_t>(p.batches > 0 ? std::clamp(width * p.batch / p.batches, 0, width) : width);
  std::string line = formatted("epoch %d/%d [", p.epoch, p.epochs) + std::string(done, '=') +
                     std::string(width - done, ' ') + formatted("] %d/%d", p.batch, p.batches);
  if (p.metric >= 0) line += "  " + metric_text(p.metric_name, p.metric);
  if (p.participation >= 0) line += formatted("  %.0f %% take part", 100 * p.participation);
  if (batches_per_second <= 0) return line;
  return line + formatted("  %.0f images/s  ", batches_per_second * p.images) +
         duration(static_cast<double>(p.batches_left) / batches_per_second) + " left";
}

void Progress::show(const Position& position) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (++batches_ == 0) begun_ = now;  // the first batch has made the memory warm
  if (now - last_ < pause) return;
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - begun_).count();
  const double speed = elapsed > 1 ? static_cast<double>(batches_) / elapsed : 0;
  std::fprintf(stderr, "\r\033[K%s", progress_line(position, speed).c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::clear() {
  if (!drawn_) return;
  std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace retort
