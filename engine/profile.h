// Profile: which kernels ran, for which layer, in which part of the step, and how long each took. A context that has
// one reports every launch to it.
#pragma once

#include <string>
#include <vector>

#include "kernels/types.h"

namespace retort {

class Profile {
 public:
  explicit Profile(Device device) : device_(device) {}
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;
  ~Profile();

  struct Entry {
    std::string kernel;  ///< the name in its family's header
    std::string layer;   ///< the layer whose parameter is involved, or empty
    std::string phase;   ///< the part of the step
    double begin = 0;    ///< seconds since the first entry began
    double seconds = 0;
  };
  /// All launches so far, in their order. Waits for the device.
  std::vector<Entry> entries() const;

  // ---- what contexts call ----
  void begin(const char* kernel, const std::string& layer, const char* phase, const Launch& launch);
  void end(const Launch& launch);

 private:
  struct Span {
    const char* kernel;
    std::string layer;
    const char* phase;
    void* begin;
    void* end = nullptr;
  };

  Device device_;
  std::vector<Span> spans_;
};

/// Launches added up, the longest first.
struct ProfileLine {
  std::string name;
  double calls = 0;    ///< a step
  double seconds = 0;  ///< a step
  double share = 0;    ///< of all lines
};
enum class ProfileBy { kernel, layer, phase };
std::vector<ProfileLine> summarise(const std::vector<Profile::Entry>& entries, ProfileBy by, int steps);

/// The trace-event format that chrome://tracing and Perfetto open: a JSON object with complete events ("ph": "X") in
/// microseconds.
std::string to_trace(const std::vector<Profile::Entry>& entries, const std::string& device);

}  // namespace retort
