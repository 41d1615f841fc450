#include "distill/progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace retort {
namespace {

constexpr int width = 30;
constexpr auto pause = std::chrono::milliseconds(200);

}  // namespace

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 1) {}

void Progress::show(int epoch, int epochs, int batch, int batches) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < pause) return;
  last_ = now;
  const int done = batches > 0 ? width * batch / batches : width;
  const std::string bar = std::string(static_cast<std::size_t>(done), '=') + std::string(static_cast<std::size_t>(width - done), ' ');
  std::fprintf(stderr, "\r\033[Kepoch %d/%d [%s] %d/%d", epoch, epochs, bar.c_str(), batch, batches);
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
