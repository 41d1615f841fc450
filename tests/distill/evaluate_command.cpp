// retort evaluate and retort predict.
#include <algorithm>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

const std::string data = "synthetic:train=50,test=30,classes=4";

/// One trained network for all tests here.
const std::string& trained_folder() {
  static const TemporaryFolder folder;
  static const std::string run_folder = [] {
    RunOptions o = small_run("teach", folder / "run");
    o.data = data;
    o.epochs = 4;
    run(o);
    return o.out;
  }();
  return run_folder;
}

nlohmann::json evaluated(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"evaluate", "--checkpoint", trained_folder(), "--data", data, "--threads", "1", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return nlohmann::json::parse(check_done(retort_program(arguments)).out);  // one object, or this throws
}

}  // namespace

TEST_CASE("evaluate: what training said of its last epoch") {
  const nlohmann::json object = evaluated({});
  const nlohmann::json last = metrics_of(trained_folder()).back();
  CHECK(object["net"] == "lenet5-half");
  CHECK(object["split"] == "test");
  CHECK(object["rows"] == 30);
  CHECK(object["accuracy"] == last["test_metric"]);
  CHECK(object["loss"].get<double>() == doctest::Approx(last["test_loss"].get<double>()).epsilon(1e-5));
  int total = 0, right = 0;
  REQUIRE(object["confusion"].size() == 4);
  const Dataset set = load_dataset(data);
  for (std::size_t i = 0; i < 4; ++i) {
    int row = 0;
    for (std::size_t j = 0; j < 4; ++j) row += object["confusion"][i][j].get<int>();
    CHECK(row == std::count(set.test.labels.begin(), set.test.labels.end(), static_cast<std::int32_t>(i)));
    total += row;
    right += object["confusion"][i][i].get<int>();
  }
  CHECK(total == 30);
  CHECK(object["accuracy"].get<double>() == doctest::Approx(right / 30.0));
}

TEST_CASE("evaluate: splits, limits and batch sizes") {
  CHECK(evaluated({"--split", "train"})["rows"] == 50);
  CHECK(evaluated({"--split", "train", "--limit", "7"})["rows"] == 7);
  CHECK(evaluated({"--limit", "7"})["rows"] == 7);
  CHECK(evaluated({"--batch", "7"})["confusion"] == evaluated({})["confusion"]);
  const Finished text = check_done(retort_program({"evaluate", "--checkpoint", trained_folder() + "/last.safetensors", "--data", data}));
  CHECK(contains(text.out, "lenet5-half on 30 test images: accuracy "));
  check_refused(retort_program({"evaluate", "--checkpoint", trained_folder(), "--data", data, "--split", "validation"}), 2,
                {"--split validation", "train or test"});
  check_refused(retort_program({"evaluate", "--checkpoint", trained_folder(), "--data", data, "--batch", "0"}), 2, {"--batch 0"});
}

TEST_CASE("predict: logits and labels, in the order of the data") {
  const TemporaryFolder folder;
  const auto predict = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"predict", "--checkpoint", trained_folder(), "--data", data, "--threads", "1",
                                          "--out",   folder / out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    check_done(retort_program(arguments));
    return read_safetensors(folder / out);
  };
  const TensorFile all = predict("all.safetensors", {});
  CHECK(all.tensors.size() == 2);
  CHECK(all.at("logits").shape == std::vector<std::int64_t>{30, 4});
  CHECK(all.at("logits").dtype == FileDType::f32);
  CHECK(all.at("labels").shape == std::vector<std::int64_t>{30});
  CHECK(all.at("labels").dtype == FileDType::i32);
  const Dataset set = load_dataset(data);
  const auto labels = all.at("labels").to_integers();
  CHECK(std::equal(labels.begin(), labels.end(), set.test.labels.begin(), set.test.labels.end()));
  const std::vector<float> logits = all.at("logits").to_floats();
  int right = 0;
  for (std::size_t i = 0; i < 30; ++i) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(4 * i);
    right += std::max_element(row, row + 4) - row == labels[i];
  }
  CHECK(evaluated({})["accuracy"].get<double>() == doctest::Approx(right / 30.0));

  const std::vector<float> few = predict("few.safetensors", {"--limit", "5", "--batch", "2"}).at("logits").to_floats();
  REQUIRE(few.size() == 20);
  for (std::size_t i = 0; i < few.size(); ++i) CHECK(few[i] == doctest::Approx(logits[i]).epsilon(1e-4));
  CHECK(predict("train.safetensors", {"--split", "train"}).at("logits").shape == std::vector<std::int64_t>{50, 4});
  check_refused(retort_program({"predict", "--checkpoint", trained_folder(), "--data", data, "--out", folder / "no/x"}), 7,
                {"cannot write " + (folder / "no/x")});
}
