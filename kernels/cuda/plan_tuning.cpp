#include "kernels/cuda/plan_tuning.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "kernels/graph.h"
#include "kernels/memory.h"
#include "kernels/stream.h"
#include "kernels/timing.h"

namespace retort::cuda {
namespace {

constexpr int kRounds = 5;
constexpr double kBurst = 3e-4;     ///< seconds of launches under one pair of marks
constexpr int kFewestLaunches = 2;  ///< of a burst
constexpr int kMostLaunches = 32;
constexpr double kHopeless = 4;    ///< times as slow as the fastest so far: not timed any further
constexpr double kPatience = 1.5;  ///< seconds a problem, after which no more plans are looked at
constexpr double kNoise = 0.03;    ///< what another plan has to gain over the favourite

class Block {
 public:
  explicit Block(std::size_t bytes) : data_(allocate(bytes)) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { deallocate(data_); }
  void* data() const { return data_; }

 private:
  void* data_;
};

/// The default stream cannot be recorded.
struct OwnStream {
  void* handle = make_stream();
  OwnStream() = default;
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  ~OwnStream() { release_stream(handle); }
};

/// Numbers between -1 and 1. Zeros would do for the result, but a GPU multiplies them with less power, and so faster.
void fill(const Launch& at, DType dtype, void* to, std::size_t bytes) {
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  std::vector<float> values(kPiece / sizeof(float));
  std::uint32_t state = 1;
  for (float& value : values) {
    state = 1664525U * state + 1013904223U;
    value = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1;
  }
  std::vector<bfloat16> narrow;
  if (dtype == DType::bf16) narrow.assign(2 * values.size(), bfloat16(0));
  for (std::size_t i = 0; i < narrow.size(); ++i) narrow[i] = bfloat16(values[i % values.size()]);
  const void* piece = narrow.empty() ? static_cast<const void*>(values.data()) : narrow.data();
  std::size_t filled = std::min(bytes, kPiece);
  copy_bytes(at, to, piece, filled);
  for (; filled < bytes; filled += std::min(filled, bytes - filled)) {
    copy_bytes(at, static_cast<char*>(to) + filled, to, std::min(filled, bytes - filled));
  }
  synchronize(at);
}

struct OperandBytes {
  std::size_t a, b, c;

  explicit OperandBytes(const ConvolutionProblem& problem) {
    const Conv2dShape& s = problem.shape;
    const std::size_t one = size_of(s.dtype);
    const auto count = [](int n, int h, int w, int channels) {
      return static_cast<std::size_t>(n) * static_cast<std::size_t>(h) * static_cast<std::size_t>(w) *
             static_cast<std::size_t>(channels);
    };
    const std::size_t x = one * count(s.batch, s.height, s.width, s.in_channels);
    const std::size_t weight = one * count(s.out_channels, s.kernel_h, s.kernel_w, s.in_channels);
    const std::size_t y = one * count(s.batch, s.out_height(), s.out_width(), s.out_channels);
    a = problem.pass == ConvolutionPass::backward_data ? y : x;
    b = problem.pass == ConvolutionPass::backward_filter ? y : weight;
    c = problem.pass == ConvolutionPass::forward ? y : problem.pass == ConvolutionPass::backward_data ? x : weight;
  }
};

/// A stream, operands, and workspace for the most demanding plan.
class Bench {
 public:
  Bench(const ConvolutionProblem& problem, std::size_t workspace) : Bench(problem, OperandBytes(problem), workspace) {}

  const Launch& launch() const { return launch_; }
  void run(const LibraryPlan& plan, int times) const {
    for (int i = 0; i < times; ++i) plan.launch(launch_, a_.data(), b_.data(), c_.data());
  }
  /// Seconds of what `work` launches.
  template <typename Work>
  double time(const Work& work) const {
    void* begin = make_mark(launch_);
    void* end = nullptr;
    try {
      work();
      end = make_mark(launch_);
      const double seconds = seconds_between(begin, end);
      release_mark(begin);
      release_mark(end);
      return seconds;
    } catch (...) {
      release_mark(begin);
      if (end != nullptr) release_mark(end);
      throw;
    }
  }

 private:
  Bench(const ConvolutionProblem& problem, const OperandBytes& bytes, std::size_t workspace)
      : a_(bytes.a), b_(bytes.b), c_(bytes.c), workspace_(workspace) {
    launch_ = {stream_.handle, workspace_.data(), workspace, problem.precision};
    fill(launch_, problem.shape.dtype, a_.data(), bytes.a);
    fill(launch_, problem.shape.dtype, b_.data(), bytes.b);
  }

  OwnStream stream_;
  Block a_, b_, c_, workspace_;
  Launch launch_;
};

/// A plan that runs. Its launches are recorded, for that is how steps are run, and a small convolution takes less time
/// than to launch it.
class Contender {
 public:
  Contender(const Bench& bench, LibraryPlan plan) : bench_(&bench), plan_(std::move(plan)) {
    bench.run(plan_, 1);  // loads kernels
    synchronize(bench.launch());
    estimate_ = bench.time([&] { bench.run(plan_, 2); }) / 2;
  }
  Contender(Contender&& other) noexcept
      : bench_(other.bench_),
        plan_(std::move(other.plan_)),
        estimate_(other.estimate_),
        launches_(other.launches_),
        recording_(std::exchange(other.recording_, nullptr)),
        times_(std::move(other.times_)) {}
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;
  ~Contender() {
    if (recording_ != nullptr) release_recording(recording_);
  }

  const LibraryPlan& plan() const { return plan_; }
  double estimate() const { return estimate_; }

  void record() {
    const double wanted = kBurst / std::max(estimate_, 1e-7);
    launches_ = static_cast<int>(std::clamp<double>(wanted, kFewestLaunches, kMostLaunches));
    if (!has_recordings()) return;
    begin_recording(bench_->launch());
    try {
      bench_->run(plan_, launches_);
      recording_ = end_recording(bench_->launch());
    } catch (...) {
      abandon_recording(bench_->launch());
      throw;
    }
    burst();  // the first replay sends it to the device
    synchronize(bench_->launch());
  }

  void take_time() {
    times_.push_back(bench_->time([&] { burst(); }) / launches_);
  }
  double median() {
    std::nth_element(times_.begin(), times_.begin() + kRounds / 2, times_.end());
    return times_[kRounds / 2];
  }

 private:
  void burst() {
    if (recording_ == nullptr) return bench_->run(plan_, launches_);
    replay(bench_->launch(), recording_);
  }

  const Bench* bench_;
  LibraryPlan plan_;
  double estimate_ = 0;
  int launches_ = 1;
  void* recording_ = nullptr;
  std::vector<double> times_;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Those that run, and are not hopelessly slow.
std::vector<Contender> contenders_of(const Bench& bench, std::vector<LibraryPlan> plans) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<Contender> all;
  double best = 0;
  for (LibraryPlan& plan : plans) {
    if (!all.empty() && seconds_since(start) > kPatience) break;
    try {
      Contender next(bench, std::move(plan));
      if (!all.empty() && next.estimate() > kHopeless * best) continue;
      next.record();
      best = all.empty() ? next.estimate() : std::min(best, next.estimate());
      all.push_back(std::move(next));
    } catch (const Error& error) {
      // The library finds out only now that it cannot: the next one, then.
      if (error.kind() != ErrorKind::device && error.kind() != ErrorKind::memory) throw;
    }
  }
  return all;
}

}  // namespace

std::optional<TunedPlan> fastest_plan(const ConvolutionProblem& problem, std::vector<LibraryPlan> plans) {
  std::size_t workspace = 0;
  for (const LibraryPlan& plan : plans) workspace = std::max(workspace, plan.workspace_bytes);
  const Bench bench(problem, workspace);
  std::vector<Contender> contenders = contenders_of(bench, std::move(plans));
  if (contenders.empty()) return std::nullopt;
  // In turn, so that a clock that changes its pace does it to all of them.
  for (int round = 0; round < kRounds; ++round) {
    for (Contender& contender : contenders) contender.take_time();
  }
  const double favourite = contenders.front().median();
  std::size_t best = 0;
  double seconds = (1 - kNoise) * favourite;
  for (std::size_t i = 1; i < contenders.size(); ++i) {
    const double found = contenders[i].median();
    if (found >= seconds) continue;
    best = i;
    seconds = found;
  }
  return TunedPlan{contenders[best].plan(), best == 0 ? favourite : seconds, favourite};
}

}  // namespace retort::cuda
