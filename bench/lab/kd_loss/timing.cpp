#include "bench/lab/timing.h"

#include "bench/lab/kd_loss/kd_loss.h"

namespace retort::lab {

void time_kd_loss(const Timer& timer) {
  timer.heading("kd_loss");
  for (const auto& [rows, classes] : {std::pair{1000000, 100}, {1000000, 10}, {64, 100}}) {
    const std::size_t n = static_cast<std::size_t>(rows) * static_cast<std::size_t>(classes);
    const Block student(n * 4), teacher(n * 4), gradient(n * 4);
    const Block labels(static_cast<std::size_t>(rows) * 4), loss(static_cast<std::size_t>(rows) * 4);
    student.upload_uniform(DType::f32, n, 1, -4, 4);
    teacher.upload_uniform(DType::f32, n, 2, -4, 4);
    KdLoss problem;
    problem.rows = rows;
    problem.classes = classes;
    problem.student = student.as<float>();
    problem.teacher = teacher.as<float>();
    problem.labels = labels.as<std::int32_t>();
    problem.loss = loss.as<float>();
    problem.dlogits = gradient.as<float>();
    for (const KdLossVersion& version : kd_loss_versions) {
      if (!takes(version, problem)) continue;
      timer.line(version.name, version.idea, std::to_string(rows) + " x " + std::to_string(classes),
                 least_bytes(problem), [&] { version.run({}, problem); });
    }
  }
}

}  // namespace retort::lab
