// retort_lab: times every version of the lab's kernels on the GPU, beside the copy bandwidth that they cannot beat.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "bench/lab/kd_loss/kd_loss.h"
#include "kernels/device_info.h"
#include "kernels/error.h"
#include "kernels/memory.h"
#include "kernels/philox.h"
#include "kernels/timing.h"

namespace {

using namespace retort;

class Block {
 public:
  explicit Block(std::size_t bytes) : data_(cuda::allocate(bytes)) { cuda::fill_zero({}, data_, bytes); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { cuda::deallocate(data_); }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_;
};

/// The median of some repetitions, after one that is not timed.
template <typename Work>
double seconds_of(const Work& work) {
  work();
  std::vector<double> seconds;
  for (int i = 0; i < 21; ++i) {
    void* begin = cuda::make_mark({});
    work();
    void* end = cuda::make_mark({});
    seconds.push_back(cuda::seconds_between(begin, end));
    cuda::release_mark(begin);
    cuda::release_mark(end);
  }
  std::nth_element(seconds.begin(), seconds.begin() + 10, seconds.end());
  return seconds[10];
}

double copy_bandwidth() {
  constexpr std::size_t bytes = std::size_t{1} << 30;
  const Block from(bytes), to(bytes);
  return 2.0 * bytes / seconds_of([&] { cuda::copy_bytes({}, to.as<void>(), from.as<void>(), bytes); });
}

void upload_logits(const Block& to, std::size_t n, std::uint32_t seed) {
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = 8 * to_uniform(philox(seed, Purpose::synthetic, i, 0, 0).v[0]) - 4;
  cuda::copy_bytes({}, to.as<void>(), values.data(), n * sizeof(float));
}

void kd_loss(double bandwidth) {
  std::printf("\n%-10s %-24s %12s %12s %10s %8s\n", "kd_loss", "", "rows", "classes", "us", "of copy");
  for (const auto& [rows, classes] : {std::pair{1000000, 100}, {1000000, 10}, {64, 100}}) {
    const std::size_t n = static_cast<std::size_t>(rows) * static_cast<std::size_t>(classes);
    const Block student(n * 4), teacher(n * 4), gradient(n * 4);
    const Block labels(static_cast<std::size_t>(rows) * 4), loss(static_cast<std::size_t>(rows) * 4);
    upload_logits(student, n, 1);
    upload_logits(teacher, n, 2);
    lab::KdLoss problem;
    problem.rows = rows;
    problem.classes = classes;
    problem.student = student.as<float>();
    problem.teacher = teacher.as<float>();
    problem.labels = labels.as<std::int32_t>();
    problem.loss = loss.as<float>();
    problem.dlogits = gradient.as<float>();
    for (const lab::KdLossVersion& version : lab::kd_loss_versions) {
      if (classes % version.classes_multiple != 0) continue;
      const double seconds = seconds_of([&] { version.run({}, problem); });
      std::printf("%-10s %-24s %12d %12d %10.1f %7.1f%%\n", version.name, version.idea, rows, classes, 1e6 * seconds,
                  100 * lab::least_bytes(problem) / seconds / bandwidth);
    }
  }
}

}  // namespace

int main() {
  try {
    const DeviceInfo device = cuda::device_info();
    const double bandwidth = copy_bandwidth();
    std::printf("%s, copies move %.0f GB/s\n", device.identity().c_str(), 1e-9 * bandwidth);
    kd_loss(bandwidth);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "retort_lab: %s\n", error.what());
    return error.exit_code();
  }
}
