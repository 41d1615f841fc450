// Trains a teacher with self-regulation, distils a student from it by two methods, and says what each has cost.
// The images are built in; give another data set as the first argument, e.g. mnist:DIR.
#include <cstdio>

#include "distill/options.h"
#include "distill/trainer.h"

using namespace retort;

namespace {

RunResult run(RunOptions options) {
  resolve(options);  // what is left open comes from the data set's recipe
  return train(options, true, [](const std::string& line) { std::puts(line.c_str()); });
}

}  // namespace

int main(int argc, char** argv) {
  RunOptions teacher;
  teacher.data = argc > 1 ? argv[1] : "synthetic:train=600,test=200,classes=4";
  teacher.net = "lenet5";
  teacher.regulation = "mask";  // a sample enters the backward pass only while it is wrong or not confident
  teacher.epochs = 6;
  teacher.out = "runs/teacher";
  const RunResult taught = run(teacher);

  for (const char* method : {"kd", "hybrid"}) {
    RunOptions student = teacher;
    student.command = "distill";
    student.regulation = "";  // the method's own
    student.method = method;
    student.teacher = teacher.out;
    student.net = "lenet5-half";
    student.out = std::string("runs/") + method;
    const RunResult result = run(student);
    std::printf("%s: %.2f %% (teacher %.2f %%), %lld samples entered a backward pass\n", method, 100 * result.last, 100 * taught.last,
                static_cast<long long>(result.ledger.student_backward));
  }
}
