// Work of a stream: done at once, or handed to whoever records the stream (recording.cpp).
#pragma once

#include <functional>
#include <utility>

namespace simt {

using Work = std::function<void()>;

/// Takes the work and returns true, or leaves it. The name lives as long as the program.
using Recorder = bool (*)(void* stream, const char* name, Work& work);
inline Recorder recorder = nullptr;

inline void submit(void* stream, const char* name, Work work) {
  if (recorder != nullptr && recorder(stream, name, work)) return;
  work();
}

}  // namespace simt
