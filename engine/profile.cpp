#include "engine/profile.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <sstream>

#include "engine/device_memory.h"
#include "kernels/timing.h"

namespace retort {

Profile::~Profile() {
  for (const Span& span : spans_) {
    RETORT_BACKEND(device_, release_mark(span.begin));
    if (span.end != nullptr) RETORT_BACKEND(device_, release_mark(span.end));
  }
}

void Profile::begin(const char* kernel, const std::string& layer, const char* phase, const Launch& launch) {
  spans_.push_back({kernel, layer, phase, RETORT_BACKEND(device_, make_mark(launch))});
}

void Profile::end(const Launch& launch) {
  spans_.back().end = RETORT_BACKEND(device_, make_mark(launch));
}

std::vector<Profile::Entry> Profile::entries() const {
  std::vector<Entry> all;
  for (const Span& span : spans_) {
    if (span.end == nullptr) continue;  // its kernel threw
    all.push_back({span.kernel, span.layer, span.phase,
                   RETORT_BACKEND(device_, seconds_between(spans_.front().begin, span.begin)),
                   RETORT_BACKEND(device_, seconds_between(span.begin, span.end))});
  }
  return all;
}

std::vector<ProfileLine> summarise(const std::vector<Profile::Entry>& entries, ProfileBy by, int steps) {
  std::map<std::string, ProfileLine> lines;
  double total = 0;
  for (const Profile::Entry& entry : entries) {
    const std::string& name = by == ProfileBy::kernel  ? entry.kernel
                              : by == ProfileBy::layer ? entry.layer
                                                       : entry.phase;
    ProfileLine& line = lines[name];
    line.name = name;
    line.calls += 1;
    line.seconds += entry.seconds;
    total += entry.seconds;
  }
  std::vector<ProfileLine> sorted;
  for (auto& [name, line] : lines) {
    line.share = total > 0 ? line.seconds / total : 0;
    line.calls /= steps;
    line.seconds /= steps;
    sorted.push_back(line);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const ProfileLine& a, const ProfileLine& b) { return a.seconds > b.seconds; });
  return sorted;
}

std::string to_trace(const std::vector<Profile::Entry>& entries, const std::string& device) {
  // Names are kernels' and parameters': nothing in them needs escaping, but a device's may.
  const auto quoted = [](const std::string& words) {
    std::string out = "\"";
    for (const char c : words) {
      if (c == '"' || c == '\\') out += '\\';
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out + "\"";
  };
  std::ostringstream out;
  out << std::fixed << std::setprecision(3) << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
      << R"({"name":"process_name","ph":"M","pid":1,"args":{"name":)" << quoted(device) << "}}";
  for (const Profile::Entry& entry : entries) {
    out << ",\n{\"name\":" << quoted(entry.kernel) << ",\"cat\":" << quoted(entry.phase)
        << ",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":" << 1e6 * entry.begin << ",\"dur\":" << 1e6 * entry.seconds
        << ",\"args\":{\"layer\":" << quoted(entry.layer) << ",\"phase\":" << quoted(entry.phase) << "}}";
  }
  out << "\n]}\n";
  return out.str();
}

}  // namespace retort
