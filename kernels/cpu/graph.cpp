// A launch costs the CPU nothing worth recording.
#include "kernels/graph.h"

#include "kernels/error.h"

namespace retort::cpu {
namespace {

[[noreturn]] void none() {
  fail(ErrorKind::internal, "the CPU backend records nothing");
}

}  // namespace

bool has_recordings() {
  return false;
}
bool has_conditions() {
  return false;
}
void begin_recording(const Launch&) {
  none();
}
void* end_recording(const Launch&) {
  none();
}
void abandon_recording(const Launch&) noexcept {}
void* begin_condition(const Launch&, const std::int32_t*, int) {
  none();
}
void end_condition(void*) {
  none();
}
void replay(const Launch&, void*) {
  none();
}
std::size_t recorded_launches(const void*) {
  none();
}
void release_recording(void*) noexcept {}

}  // namespace retort::cpu
