#include "tests/simt/recording.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "kernels/error.h"
#include "kernels/graph.h"
#include "kernels/memory.h"
#include "kernels/stream.h"

namespace simt {
namespace {

struct Recording;

struct Node {
  const char* name = "condition";
  Work work;
  std::vector<std::size_t> after;
  // A part that depends on a number:
  std::unique_ptr<Recording> part;
  const std::int32_t* count = nullptr;
  int least = 0;
};

struct Recording {
  std::vector<Node> nodes;
  std::size_t replays = 0;

  void run() {
    const bool earliest_first = replays++ % 2 == 0;
    std::set<std::size_t> waiting;
    for (std::size_t i = 0; i < nodes.size(); ++i) waiting.insert(i);
    const auto ready = [&](std::size_t i) {
      return std::none_of(nodes[i].after.begin(), nodes[i].after.end(),
                          [&](std::size_t before) { return waiting.count(before) != 0; });
    };
    while (!waiting.empty()) {
      const std::size_t next = earliest_first ? *std::find_if(waiting.begin(), waiting.end(), ready)
                                              : *std::find_if(waiting.rbegin(), waiting.rend(), ready);
      run(nodes[next]);
      waiting.erase(next);
    }
  }

 private:
  static void run(Node& node) {
    if (!node.part) return node.work();
    std::int32_t count = 0;
    retort::cuda::copy_bytes({}, &count, node.count, sizeof count);
    if (count >= node.least) node.part->run();
  }
};

/// A recording in progress: which streams are in it, and what each of them waits for next.
struct Open {
  std::unique_ptr<Recording> recording = std::make_unique<Recording>();
  void* origin = nullptr;
  std::map<void*, std::vector<std::size_t>> streams;
  std::string spoilt;

  void add(void* stream, Node node) {
    std::vector<std::size_t>& last = streams.at(stream);
    node.after = last;
    recording->nodes.push_back(std::move(node));
    last = {recording->nodes.size() - 1};
  }
  /// Whether everything that was recorded comes before what the origin's stream would do next.
  bool joined() const {
    std::set<std::size_t> reached;
    std::vector<std::size_t> from = streams.at(origin);
    while (!from.empty()) {
      const std::size_t node = from.back();
      from.pop_back();
      if (!reached.insert(node).second) continue;
      from.insert(from.end(), recording->nodes[node].after.begin(), recording->nodes[node].after.end());
    }
    return reached.size() == recording->nodes.size();
  }
};

/// The innermost last: the body of a condition is recorded while its surroundings are.
std::vector<Open>& open() {
  static std::vector<Open> all;
  return all;
}

Open* open_of(void* stream) {
  for (Open& one : open()) {
    if (one.streams.count(stream) != 0) return &one;
  }
  return nullptr;
}

bool record(void* stream, const char* name, Work& work) {
  if (open().empty()) return false;
  Open* const at = open_of(stream);
  if (at == nullptr) {
    retort::fail(retort::ErrorKind::device, "a launch on a stream that is not recorded, while another one is");
  }
  Node node;
  node.name = name;
  node.work = std::move(work);
  at->add(stream, std::move(node));
  return true;
}

/// How often each name is among the launches, those of conditional parts too.
void count_names(const Recording& recording, std::map<std::string, int>& counts) {
  for (const Node& node : recording.nodes) {
    ++counts[node.name];
    if (node.part) count_names(*node.part, counts);
  }
}

/// RETORT_EMULATED_LIST=FILE: what each recording consists of, a line a kind of launch, is added to the file.
void list(const Recording& recording) {
  const char* path = std::getenv("RETORT_EMULATED_LIST");
  if (path == nullptr) return;
  std::map<std::string, int> counts;
  count_names(recording, counts);
  std::ofstream file(path, std::ios::app);
  file << "recorded " << recording.nodes.size() << " launches\n";
  for (const auto& [name, count] : counts) file << count << '\t' << name << '\n';
}

std::unique_ptr<Recording> close(void* stream) {
  Open done = std::move(open().back());
  open().pop_back();
  if (open().empty()) recorder = nullptr;
  RETORT_CHECK_AS(retort::ErrorKind::device, done.origin == stream, "recordings end in the order they began in");
  RETORT_CHECK_AS(retort::ErrorKind::device, done.spoilt.empty(), done.spoilt, " while a stream was recorded");
  RETORT_CHECK_AS(retort::ErrorKind::device, done.joined(), "a stream was not joined when the recording ended");
  return std::move(done.recording);
}

void begin(void* stream) {
  Open next;
  next.origin = stream;
  next.streams[stream] = {};
  open().push_back(std::move(next));
  recorder = &record;
}

}  // namespace

void not_while_recording(const char* what) {
  RETORT_CHECK_AS(retort::ErrorKind::device, open().empty(), what, " while a stream is recorded");
}
void spoil_recording(const char* what) {
  if (!open().empty()) open().back().spoilt = what;
}

}  // namespace simt

namespace retort::cuda {

void* make_stream() {
  simt::not_while_recording("make_stream");
  return new char;
}
void release_stream(void* stream) noexcept {
  delete static_cast<char*>(stream);
}

void order_after(const Launch& later, const Launch& earlier) {
  simt::Open* const at = simt::open_of(earlier.stream);
  if (at == nullptr || later.stream == earlier.stream) return;
  std::vector<std::size_t>& waits = at->streams[later.stream];
  const std::vector<std::size_t>& last = at->streams.at(earlier.stream);
  waits.insert(waits.end(), last.begin(), last.end());
}

void* allocate_shared(std::size_t bytes) {
  simt::not_while_recording("allocate_shared");
  return std::calloc(1, bytes);
}
void deallocate_shared(void* pointer) noexcept {
  std::free(pointer);
}

bool has_recordings() {
  return true;
}
/// RETORT_EMULATED_CONDITIONS=0: as an older driver.
bool has_conditions() {
  const char* wanted = std::getenv("RETORT_EMULATED_CONDITIONS");
  return wanted == nullptr || std::string(wanted) != "0";
}

void begin_recording(const Launch& at) {
  simt::not_while_recording("begin_recording");
  RETORT_CHECK_AS(ErrorKind::device, at.stream != nullptr, "the default stream cannot be recorded");
  simt::begin(at.stream);
}
void* end_recording(const Launch& at) {
  std::unique_ptr<simt::Recording> recording = simt::close(at.stream);
  simt::list(*recording);
  return recording.release();
}
void abandon_recording(const Launch&) noexcept {
  simt::open().clear();
  simt::recorder = nullptr;
}

void* begin_condition(const Launch& at, const std::int32_t* count, int least) {
  simt::Node node;
  node.part = std::make_unique<simt::Recording>();
  node.count = count;
  node.least = least;
  simt::open().back().add(at.stream, std::move(node));
  void* body = new char;
  simt::begin(body);
  return body;
}
void end_condition(void* body) {
  std::unique_ptr<simt::Recording> part = simt::close(body);
  release_stream(body);
  simt::open().back().recording->nodes.back().part = std::move(part);
}

void replay(const Launch&, void* recording) {
  simt::not_while_recording("replay");
  static_cast<simt::Recording*>(recording)->run();
}
std::size_t recorded_launches(const void* recording) {
  return static_cast<const simt::Recording*>(recording)->nodes.size();
}
void release_recording(void* recording) noexcept {
  delete static_cast<simt::Recording*>(recording);
}

}  // namespace retort::cuda
