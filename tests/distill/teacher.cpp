// The teacher of a distillation: measured first, believed only if it is what its file says, and the same cached or not.
#include <algorithm>
#include <cmath>

#include "distill/run_setup.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

RunOptions teacher_run(const std::string& out) {
  RunOptions o = small_run("teach", out);
  o.data = "synthetic:train=60,test=40,classes=3";
  o.regulation = "mask";
  o.confidence = 0.5;
  return o;
}

RunOptions student_run(const std::string& out, const std::string& teacher) {
  RunOptions o = small_run("distill", out);
  o.data = "synthetic:train=60,test=40,classes=3";
  o.teacher = teacher;
  return o;
}

double largest_difference(const std::string& a, const std::string& b) {
  const auto x = weights_of(a + "/last.safetensors"), y = weights_of(b + "/last.safetensors");
  double largest = 0;
  for (const auto& [name, values] : x) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(values[i]) - static_cast<double>(y.at(name)[i])));
    }
  }
  return largest;
}

}  // namespace

TEST_CASE("teacher: its accuracy is said before anything is trained, and is what evaluate says") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher";
  const RunResult taught = run(teacher_run(teacher)).result;
  for (const std::string method : {"kd", "hybrid"}) {
    CAPTURE(method);
    RunOptions o = student_run(folder / method, teacher);
    o.method = method;
    const TrainedRun student = run(o);
    CHECK(student.result.teacher_metric == taught.last);
    std::size_t accuracy = 99, epoch = 99;
    for (std::size_t i = student.lines.size(); i-- > 0;) {
      if (contains(student.lines[i], "teacher lenet5-half from " + teacher)) accuracy = i;
      if (contains(student.lines[i], "epoch ")) epoch = i;
    }
    REQUIRE(accuracy < epoch);
    char percent[32];
    std::snprintf(percent, sizeof percent, "%.2f %% on the test split", 100 * taught.last);
    CHECK(contains(student.lines[accuracy], percent));
  }
}

TEST_CASE("teacher: one that is not what its file says is refused") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher", bad = folder / "bad.safetensors";
  run(teacher_run(teacher));
  TensorFile file = read_safetensors(teacher + "/last.safetensors");
  REQUIRE(file.metadata.count("last_metric") == 1);
  file.metadata["last_metric"] = "0.99";
  write_safetensors(bad, file);
  const Failure failure = failure_of([&] { run(student_run(folder / "student", bad)); });
  CHECK(failure.blames(bad));
  CHECK(failure.says("0.99"));
  // On another test split the claim says nothing.
  RunOptions o = student_run(folder / "other", bad);
  o.data = "synthetic:train=60,test=30,classes=3";
  CHECK_FALSE(failure_of([&] { run(o); }).failed);
}

TEST_CASE("teacher: one that was stopped in the middle of an epoch serves as well") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher";
  RunOptions o = teacher_run(teacher);
  o.epochs = 40;
  o.max_steps = 30;  // four batches an epoch
  run(o);
  o = student_run(folder / "student", teacher);
  o.method = "significance";
  const Failure failure = failure_of([&] { CHECK(run(o).result.finished); });
  CHECK_MESSAGE(!failure.failed, failure.message);
}

TEST_CASE("teacher: cached logits make the same student as online ones") {
  const TemporaryFolder folder;
  for (const std::string net : {"lenet5-half", "resnet8"}) {
    CAPTURE(net);
    const std::string teacher = folder / ("teacher-" + net);
    RunOptions t = teacher_run(teacher);
    t.net = net;
    run(t);
    for (const std::string method : {"kd", "hybrid"}) {
      CAPTURE(method);
      const auto student = [&](const std::string& cache) {
        RunOptions o = student_run(folder / (net + method + cache), teacher);
        o.method = method;
        o.cache_teacher = cache;
        o.augment = "none";
        run(o);
        return o.out;
      };
      const std::string on = student("on"), off = student("off");
      // Not to the last bit: oneDNN's sums depend on which rows share a batch, and the cache is made in other batches.
      // Logits of the wrong samples make a difference hundreds of times as large.
      const double difference = largest_difference(on, off);
      CHECK(difference < 1e-6);
    }
  }
}

TEST_CASE("teacher: the logits that one student leaves are the next one's, and only of the same teacher and data") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher", kept = teacher + "/logits.safetensors";
  run(teacher_run(teacher));
  const auto student = [&](const std::string& name) {
    RunOptions o = student_run(folder / name, teacher);
    o.augment = "none";
    return o;
  };
  const auto logits_of = [&] { return read_safetensors(kept).at("logits").to_floats(); };
  const RunOptions first = student("first");
  run(first);
  REQUIRE(std::filesystem::exists(kept));
  run(student("second"));
  check_same_run(first.out, folder / "second");

  // What is in the file is believed where it says that it is this teacher's.
  TensorFile file = read_safetensors(kept);
  const std::vector<float> right = logits_of();
  std::vector<float> wrong = right;
  for (float& value : wrong) value = -value;
  file.tensors["logits"] = FileTensor::of(wrong, file.at("logits").shape);
  write_safetensors(kept, file);
  run(student("misled"));
  CHECK(largest_difference(first.out, folder / "misled") > 1e-3);

  const auto makes_its_own = [&](const std::string& name) {
    CAPTURE(name);
    run(student(name));
    check_same_run(first.out, folder / name);
    CHECK(logits_of() == right);
  };
  file.metadata["identity"] += " on another machine";
  write_safetensors(kept, file);
  makes_its_own("another");
  put_text(kept, "rubbish");
  makes_its_own("damaged");
  file = read_safetensors(kept);
  file.tensors["logits"] = FileTensor::of(std::vector<float>(8), {2, 4});
  write_safetensors(kept, file);
  makes_its_own("too-short");

  // A folder where nothing can be written.
  std::filesystem::remove(kept);
  std::filesystem::create_directory(kept);
  const TrainedRun alone = run(student("alone"));
  check_same_run(first.out, folder / "alone");
  CHECK(std::any_of(alone.lines.begin(), alone.lines.end(), [](const auto& line) { return contains(line, "not kept"); }));
  std::filesystem::remove(kept);

  // Another part of the data, other batches: other values.
  for (const auto& change : {+[](RunOptions& o) { o.limit = 30; }, +[](RunOptions& o) { o.batch = 10; }}) {
    RunOptions o = student("changed");
    change(o);
    run(o);
    const std::string identity = read_safetensors(kept).metadata["identity"];
    run(student("back"));
    CHECK(read_safetensors(kept).metadata["identity"] != identity);
    std::filesystem::remove_all(o.out);
    std::filesystem::remove_all(folder / "back");
  }
}

TEST_CASE("teacher: with its batch norm folded it answers as it does without") {
  const TemporaryFolder folder;
  for (const std::string net : {"resnet8", "wrn-10-1", "vgg8"}) {
    CAPTURE(net);
    RunOptions t = teacher_run(folder / ("teacher-" + net));
    t.net = net;
    t.limit = 30;
    run(t);
    resolve(t);
    const Dataset data = dataset_of(t);
    Context context;
    const auto task = make_task(data);
    DeviceDataset test(context, data, data.test);
    std::vector<float> logits[2];
    double accuracy[2];
    for (const bool fold : {false, true}) {
      Teacher teacher(context, t.out, "", data, *task, fold);
      accuracy[fold] = evaluate(context, teacher.network(), test, *task, 16, &logits[fold]).metric;
    }
    CHECK(accuracy[0] == accuracy[1]);
    double difference = 0, length = 0;
    for (std::size_t i = 0; i < logits[0].size(); ++i) {
      const double unfolded = logits[0][i], folded = logits[1][i];
      difference += (folded - unfolded) * (folded - unfolded);
      length += unfolded * unfolded;
    }
    CHECK(difference > 0);
    CHECK(std::sqrt(difference / length) < 1e-5);
    const auto classes = static_cast<std::size_t>(task->outputs());
    for (std::size_t row = 0; row < logits[0].size(); row += classes) {
      const auto answer = [&](const std::vector<float>& from) {
        const auto begin = from.begin() + static_cast<std::ptrdiff_t>(row);
        return std::max_element(begin, begin + static_cast<std::ptrdiff_t>(classes)) - begin;
      };
      CHECK(answer(logits[0]) == answer(logits[1]));
    }
  }
}

TEST_CASE("teacher: folded by default, which the run's configuration says; unfolded it makes nearly the same student") {
  const TemporaryFolder folder;
  RunOptions t = teacher_run(folder / "teacher");
  t.net = "resnet8";
  const double accuracy = run(t).result.last;
  const auto student = [&](const std::string& fold) {
    RunOptions o = student_run(folder / fold, t.out);
    o.fold_teacher = fold;
    CHECK(run(o).result.teacher_metric == accuracy);
    return o.out;
  };
  const std::string folded = student("auto"), on = student("on"), unfolded = student("off");
  CHECK(from_toml(contents(folded + "/config.toml"), folded).fold_teacher == "on");
  CHECK(from_toml(contents(unfolded + "/config.toml"), unfolded).fold_teacher == "off");
  check_same_run(folded, on);
  CHECK(largest_difference(folded, unfolded) < 1e-5);
}

TEST_CASE("teacher: a student that is its teacher already has nothing to learn from it") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher";
  run(teacher_run(teacher));
  RunOptions o = student_run(folder / "same", teacher);
  o.init = teacher;
  o.alpha = 1;
  o.weight_decay = 0;
  run(o);
  CHECK(largest_difference(teacher, folder / "same") < 1e-5);
  o.out = folder / "labels";
  o.alpha = 0.9;  // now the labels speak as well
  run(o);
  CHECK(largest_difference(teacher, folder / "labels") > 1e-4);
}

TEST_CASE("teacher: without its share of the loss, distillation is training on labels") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher";
  run(teacher_run(teacher));
  RunOptions o = student_run(folder / "student", teacher);
  o.alpha = 0;
  o.seed = 9;  // not the teacher's, or the student would become the teacher
  run(o);
  RunOptions alone = o;
  alone.command = "teach";
  alone.out = folder / "alone";
  run(alone);
  CHECK(largest_difference(folder / "student", folder / "alone") < 1e-5);
  CHECK(largest_difference(folder / "student", teacher) > 1e-4);
}
