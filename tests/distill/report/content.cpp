// retort report: what is in the page is what is in the run folder.
#include <algorithm>

#include "data/file.h"
#include "distill/predictions.h"
#include "distill/report/page_data.h"
#include "distill/reproduce/statistics.h"
#include "distill/reproduce/table.h"
#include "distill/significance.h"
#include "tests/distill/report/page_of.h"

using namespace retort;
using namespace retort::test;

namespace {

/// A regulated teacher and its hybrid student, for all tests here.
const std::string& two_runs() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    run(regulated_run(folder / "teacher"));
    RunOptions student = small_run("distill", folder / "student");
    student.teacher = folder / "teacher";
    student.method = "hybrid";
    student.epochs = 2;
    run(student);
    return folder.path();
  }();
  return path;
}

const Reported& page() {
  static const TemporaryFolder folder;
  static const Reported r = reported(folder, {two_runs() + "/teacher", two_runs() + "/student"});
  return r;
}

const nlohmann::json& teacher() {
  return page().data["runs"][0];
}
const nlohmann::json& student() {
  return page().data["runs"][1];
}

}  // namespace

TEST_CASE("report: curves, results and costs are the run folder's") {
  REQUIRE(page().data["runs"].size() == 2);
  CHECK(page().data["missing"].empty());
  CHECK(contains(page().said, "2 runs"));
  for (const auto& run : page().data["runs"]) {
    const std::string folder = run["folder"];
    CHECK(std::filesystem::path(folder).filename() == run["name"].get<std::string>());
    const auto lines = metrics_of(folder);
    const auto& curves = run["curves"];
    REQUIRE(curves["epoch"].size() == lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      CHECK(curves["epoch"][i] == lines[i]["epoch"]);
      for (const char* key : {"train_loss", "train_metric", "test_loss", "test_metric"}) {
        CHECK(curves[key][i].get<double>() == doctest::Approx(lines[i][key].get<double>()).epsilon(1e-5));
      }
      const double share = lines[i]["participants"].get<double>() / lines[i]["rows"].get<double>();
      CHECK(curves["participation"][i].get<double>() == doctest::Approx(share).epsilon(1e-5));
      for (std::size_t c = 0; c < 4; ++c) {
        const double rows = lines[i]["rows_by_class"][c];
        if (rows == 0) continue;  // a class that the teacher's significance left out
        CHECK(run["by_class"]["share"][c][i].get<double>() ==
              doctest::Approx(lines[i]["participants_by_class"][c].get<double>() / rows).epsilon(1e-5));
      }
    }
    const auto result = result_of(folder);
    CHECK(run["ledger"] == result["ledger"]);
    CHECK(run["last"].get<double>() == doctest::Approx(result["last"].get<double>()));
    CHECK(run["best_epoch"] == result["best_epoch"]);
    CHECK(run["finished"] == true);
    CHECK(run["environment"]["data"] == load_dataset("synthetic:train=50,test=20,classes=4").checksum);
    CHECK(run["classes"] == nlohmann::json({"circle", "square", "triangle", "cross"}));
  }
  CHECK(teacher()["options"]["net"] == "lenet5-half");
  CHECK(teacher()["options"]["lr"] == 0.05);
  CHECK(student()["options"]["method"] == "hybrid");
  CHECK(student()["teacher_metric"] == teacher()["last"]);
}

TEST_CASE("report: shares are of the longest run of the same network on the same data") {
  // 3 epochs of 50 samples, whatever the student's own two epochs were on.
  for (const auto& run : page().data["runs"]) {
    CHECK(run["conventional"]["samples"] == 50);
    CHECK(run["conventional"]["backwards"] == 150);
  }
  const auto& points = page().data["frontier"];
  REQUIRE(points.size() == 2);
  const auto share = [](const nlohmann::json& run, const char* of, double whole) {
    return run["ledger"][of].get<double>() / whole;
  };
  CHECK(points[0]["backward"].get<double>() ==
        doctest::Approx(share(teacher(), "teacher_backward", 150)).epsilon(1e-5));
  CHECK(points[1]["backward"].get<double>() ==
        doctest::Approx(share(student(), "student_backward", 150)).epsilon(1e-5));
  CHECK(points[1]["distinct"].get<double>() == doctest::Approx(share(student(), "distinct_samples", 50)).epsilon(1e-5));
  CHECK(points[1]["value"] == student()["last"]);
  CHECK(points[1]["seconds"].get<double>() > 0);
}

TEST_CASE("report: the frontier is of runs of one network on the same data") {
  std::vector<ReportedFindings> runs;
  const auto add = [&](const std::string& net, double accuracy, std::int64_t backward, double seconds) {
    ReportedRun run;
    run.where.name = run.where.group = std::to_string(runs.size());
    run.options.command = "distill";
    run.options.net = net;
    run.options.epochs = 2;
    run.train_samples = 100;
    run.result = RunResult{};
    run.result->metric = "accuracy";
    run.result->last = accuracy;
    run.result->ledger.student_backward = backward;
    run.result->ledger.distinct_samples = 100;
    run.result->timing.compute = seconds;
    runs.push_back({run, {}, {}});
  };
  add("resnet8", 0.80, 200, 10);
  add("resnet8", 0.81, 100, 12);
  add("resnet8", 0.70, 50, 12);
  add("resnet8", 0.60, 60, 9);
  add("resnet20", 0.95, 10, 1);
  const nlohmann::json points = page_data(runs, {})["frontier"];
  const auto best = [&](std::size_t i) { return points[i]["best_of"].get<std::vector<std::string>>(); };
  CHECK(best(0) == std::vector<std::string>{"seconds"});
  CHECK(best(1) == std::vector<std::string>{"distinct", "backward", "seconds"});
  CHECK(best(2) == std::vector<std::string>{"backward"});
  CHECK(best(3) == std::vector<std::string>{"seconds"});
  CHECK(best(4) == std::vector<std::string>{"distinct", "backward", "seconds"});
}

TEST_CASE("report: significance, its histogram, and how it goes with difficulty") {
  const Significance s = read_significance_csv(two_runs() + "/teacher/significance.csv");
  const auto& found = teacher()["significance"];
  CHECK(found["epochs"] == 3);
  CHECK(found["samples"] == 50);
  CHECK(found["histogram"]["width"] == 1);
  std::vector<int> histogram(4);
  for (const int count : s.count) ++histogram[static_cast<std::size_t>(count)];
  CHECK(found["histogram"]["samples"] == histogram);
  CHECK(found["never"] == histogram[0]);
  CHECK(found["always"] == histogram[3]);

  const Dataset data = load_dataset("synthetic:train=50,test=20,classes=4");
  const std::vector<float>& difficulty = data.train.difficulty;
  const auto& thirds = teacher()["difficulty"]["thirds"];
  REQUIRE(thirds.size() == 3);
  const double bounds[] = {0, 1.0 / 3, 2.0 / 3, 1};
  for (std::size_t t = 0; t < 3; ++t) {
    int samples = 0, sum = 0;
    std::vector<int> counts(4);
    for (std::size_t i = 0; i < 50; ++i) {
      if (difficulty[i] < bounds[t] || difficulty[i] >= bounds[t + 1]) continue;
      ++samples;
      sum += s.count[i];
      ++counts[static_cast<std::size_t>(s.count[i])];
    }
    CHECK(thirds[t]["samples"] == samples);
    CHECK(thirds[t]["mean"].get<double>() == doctest::Approx(static_cast<double>(sum) / samples).epsilon(1e-5));
    CHECK(thirds[t]["histogram"]["samples"] == counts);
  }
  CHECK(teacher()["difficulty"]["rank_correlation"].get<double>() ==
        doctest::Approx(spearman({s.count.begin(), s.count.end()}, {difficulty.begin(), difficulty.end()}))
            .epsilon(1e-5));
}

TEST_CASE("report: galleries hold the extremes, with what the last checkpoint says of them") {
  const Significance s = read_significance_csv(two_runs() + "/teacher/significance.csv");
  std::vector<int> sorted(s.count.begin(), s.count.end());
  std::sort(sorted.begin(), sorted.end());
  const auto& gallery = teacher()["gallery"];
  REQUIRE(gallery["most"].size() == 24);
  REQUIRE(gallery["least"].size() == 24);
  // Its own opinion of every training image, asked for by another command.
  const TemporaryFolder folder;
  check_done(retort_program({"predict", "--checkpoint", two_runs() + "/teacher", "--data",
                             "synthetic:train=50,test=20,classes=4", "--split", "train", "--out", folder / "logits"}));
  const Dataset data = load_dataset("synthetic:train=50,test=20,classes=4");
  const Predictions predicted =
      predictions_of(data.train, read_safetensors(folder / "logits").at("logits").to_floats());
  for (const char* which : {"most", "least"}) {
    for (std::size_t k = 0; k < 24; ++k) {
      const auto& entry = gallery[which][k];
      const std::size_t index = entry["index"];
      CHECK(entry["count"] == s.count[index]);
      CHECK(entry["count"] == (which == std::string("most") ? sorted[49 - k] : sorted[k]));
      CHECK(entry["label"] == s.label[index]);
      CHECK(entry["prediction"] == predicted.prediction[index]);
      const std::string picture = page().data["pictures"][entry["picture"].get<std::size_t>()];
      CHECK(picture.rfind("data:image/png;base64,iVBORw0KGgo", 0) == 0);
    }
  }
  CHECK(gallery["ties"]["most"] == std::count(s.count.begin(), s.count.end(), sorted[49 - 23]));
  CHECK(page().data["pictures_left_out"] == 0);
  // 96 entries of 50 images: each of them once.
  CHECK(page().data["pictures"].size() <= 50);
}

TEST_CASE("report: the confusion matrix of the test split") {
  const Predictions p = read_predictions_csv(two_runs() + "/student/predictions.csv");
  CHECK(student()["confusion"]["matrix"] == nlohmann::json(confusion_of(p, 4)));
  CHECK(student()["confusion"]["samples"] == 20);
}

TEST_CASE("report: files with their checksums, and the same page again") {
  const TemporaryFolder folder;
  const Reported again = reported(folder, {two_runs() + "/teacher", two_runs() + "/student"});
  CHECK(again.page == page().page);
  std::vector<std::string> names;
  for (const auto& file : teacher()["files"]) {
    names.push_back(file[0]);
    const std::string content = contents(two_runs() + "/teacher/" + names.back());
    CHECK(file[1] == content.size());
    char digits[16];
    std::snprintf(digits, sizeof digits, "%08x", crc32_of(content.data(), content.size()));
    CHECK(file[2] == digits);
  }
  for (const char* name :
       {"config.toml", "metrics.jsonl", "last.safetensors", "significance.csv", "predictions.csv", "result.json"}) {
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
}

TEST_CASE("report: the table that reproduce wrote") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "teacher");
  Table table{"mine", "A table", {TableSection{}}, "", {"a note"}};
  TableSection& section = table.sections[0];
  section.pair.teacher = o.net;
  section.pair.student = o.net;
  section.pair.published = {{"teacher", 99.5}};
  Arm arm;
  arm.id = "teacher";
  arm.label = "teacher, conventional";
  arm.trains_teacher = true;
  run(o);
  RunOutcome outcome;
  outcome.result = *RunFolder(o.out).read_result();
  section.rows.push_back({arm, o.lr, 0, "teacher", {outcome}});
  put_text(folder / "table.json", to_json(table));
  const Reported r = reported(folder, {folder.path()});
  CHECK(missing_of(r.data, folder / "table.json") == "");
  REQUIRE(r.data["tables"].size() == 1);
  CHECK(r.data["tables"][0] == nlohmann::json::parse(to_json(table)));
}

TEST_CASE("report: a page that asks nothing of anyone") {
  const std::string& text = page().page;
  CHECK(text.size() < 3'000'000);
  const std::string policy = between(text, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
  CHECK(contains(policy, "default-src 'none'"));
  CHECK(!contains(policy, "unsafe"));
  CHECK(!contains(policy, "http"));
  for (const char* forbidden : {" src=\"", "@import", "url("}) {
    CAPTURE(std::string(forbidden));
    CHECK(!contains(text.substr(0, text.find("id=\"data\"")), forbidden));
  }
}
