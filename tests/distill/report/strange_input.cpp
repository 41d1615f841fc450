// retort report: what is missing, damaged, or meant to break out of the page.
#include "distill/report/page.h"
#include "tests/distill/report/page_of.h"

using namespace retort;
using namespace retort::test;

namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

Finished refused(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {"report"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return retort_program(all);
}

}  // namespace

TEST_CASE("report: no name gets out of the page's data") {
  const TemporaryFolder folder;
  const std::string name = "</script><img src=x onerror=alert(1)> \"'&{{data}}\xff \xe2\x80\xa8";
  std::string folder_name = name;
  folder_name.erase(1, 1);  // a file's name has no slash
  run(small_run("teach", folder / "plain"));
  std::filesystem::rename(folder / "plain", folder / folder_name);
  put_text(folder / "table.json",
           nlohmann::json({{"title", "</script><script>alert(2)</script>"}, {"rows", nlohmann::json::array()}}).dump());
  const Reported r = reported(folder, {folder.path()});
  CHECK(count_of(r.page, "</script") == 3);
  CHECK(count_of(r.page, "<img") == 0);
  CHECK(count_of(r.page, "<script") == 3);
  const std::string read = r.data["runs"][0]["name"];
  CHECK(contains(read, "<img src=x onerror=alert(1)> \"'&{{data}}\xef\xbf\xbd"));
  CHECK(r.data["tables"][0]["title"] == "</script><script>alert(2)</script>");
}

TEST_CASE("report: data in a script element, and back") {
  const nlohmann::ordered_json data = {{"<!--<script>", "]]></SCRIPT>&amp;\\\"\n\t"}, {"n", 1.5}};
  const std::string text = script_json(data);
  for (const char c : {'<', '>', '&'}) CHECK(text.find(c) == std::string::npos);
  CHECK(nlohmann::ordered_json::parse(text) == data);
}

TEST_CASE("report: without Chart.js it says what to install") {
  EmbeddedFiles parts = page_files();
  parts.erase("chart.min.js");
  const Failure failure = failure_of([&] { report_page({}, parts); });
  CHECK(failure.failed);
  CHECK(failure.kind == ErrorKind::output);
  CHECK(failure.says("libjs-chart.js"));
  CHECK(failure.message.find('\n') == std::string::npos);
}

TEST_CASE("report: a data set that is gone, somewhere else, or not the same") {
  const TemporaryFolder folder;
  const auto synth = [&](const std::string& name, const std::string& seed) {
    check_done(
        retort_program({"data", "synth", "--out", folder / name, "--train", "50", "--test", "20", "--seed", seed}));
  };
  synth("data", "1");
  RunOptions o = regulated_run(folder / "run");
  o.data = "cifar10:" + (folder / "data");
  run(o);
  const Reported there = reported(folder, {o.out});
  CHECK(there.data["missing"].empty());
  CHECK(there.data["runs"][0]["gallery"]["most"].size() == 24);
  CHECK(there.data["runs"][0]["difficulty"].is_null());

  std::filesystem::rename(folder / "data", folder / "moved");
  const Reported gone = reported(folder, {o.out});
  CHECK(contains(missing_of(gone.data, "run"), folder / "data"));
  CHECK(contains(gone.said, folder / "data"));
  CHECK(!gone.data["runs"][0].contains("gallery"));
  CHECK(gone.data["pictures"].empty());
  for (const char* key : {"curves", "significance", "confusion", "by_class", "classes", "ledger"}) {
    CHECK(gone.data["runs"][0][key] == there.data["runs"][0][key]);
  }

  const Reported moved = reported(folder, {"--data", "cifar10:" + (folder / "moved"), o.out});
  CHECK(moved.data["missing"].empty());
  CHECK(moved.data["runs"][0]["gallery"] == there.data["runs"][0]["gallery"]);

  synth("data", "2");
  CHECK(contains(missing_of(reported(folder, {o.out}).data, "run"), "the run was trained on"));
  check_refused(refused({o.out, "--data", "moved"}), 2, {"--data moved", "NAME:PATH"});
}

TEST_CASE("report: files that are missing or damaged are said, one by one") {
  const TemporaryFolder folder;
  const auto fresh = [&](const std::string& name) {
    if (!std::filesystem::exists(folder / "whole")) run(regulated_run(folder / "whole"));
    std::filesystem::copy(folder / "whole", folder / name, std::filesystem::copy_options::recursive);
    return folder / name;
  };
  const auto check_missing = [&](const std::string& name, const std::string& words) {
    CAPTURE(words);
    const Reported r = reported(folder, {folder / name});
    CHECK(contains(missing_of(r.data, name), words));
    CHECK(contains(r.said, words));
    return r.data["runs"][0];
  };
  std::filesystem::remove(fresh("no-predictions") + "/predictions.csv");
  CHECK(!check_missing("no-predictions", "predictions.csv is not there").contains("confusion"));
  put_text(fresh("odd-predictions") + "/predictions.csv", "index,label,prediction\n1,2147483647,0\n");
  const nlohmann::json odd = reported(folder, {folder / "odd-predictions"}).data["runs"][0]["confusion"];
  CHECK(odd["classes"] == 2147483648);
  CHECK(odd["commonest"] == nlohmann::json({{2147483647, 0, 1}}));
  put_text(fresh("bad-predictions") + "/predictions.csv", "index,label,prediction\n1,2\n");
  CHECK(!check_missing("bad-predictions", "predictions.csv:2").contains("confusion"));
  std::filesystem::remove(fresh("no-checkpoint") + "/last.safetensors");
  CHECK(check_missing("no-checkpoint", "last.safetensors")["gallery"]["most"][0]["prediction"].is_null());
  put_text(fresh("bad-significance") + "/significance.csv", "index,label,count\n1,2,x\n");
  CHECK(!check_missing("bad-significance", "significance.csv:2").contains("gallery"));
  std::filesystem::remove(fresh("no-environment") + "/environment.json");
  CHECK(check_missing("no-environment", "environment.json")["gallery"]["most"].size() == 24);
  put_text(fresh("odd-environment") + "/environment.json", R"({"data": 5, "class_names": "x", "train_samples": []})");
  check_missing("odd-environment", "environment.json is damaged");

  const std::string metrics = contents(folder / "whole/metrics.jsonl"),
                    first = metrics.substr(0, metrics.find('\n') + 1);
  put_text(fresh("cut-metrics") + "/metrics.jsonl", first + metrics.substr(first.size(), 40));
  CHECK(check_missing("cut-metrics", "line 2 is damaged")["curves"]["epoch"] == nlohmann::json({1}));
  put_text(fresh("odd-metrics") + "/metrics.jsonl", "{\"epoch\": \"one\"}\n");
  check_missing("odd-metrics", "has no epochs");
  std::filesystem::remove(fresh("no-metrics") + "/metrics.jsonl");
  CHECK(check_missing("no-metrics", "has no epochs")["ledger"].is_object());  // of the result
  put_text(fresh("infinite") + "/metrics.jsonl", [&] {
    auto line = nlohmann::json::parse(first);
    line["train_loss"] = nullptr;  // how JSON writes what is not finite
    return line.dump() + "\n";
  }());
  CHECK(reported(folder, {folder / "infinite"}).data["runs"][0]["curves"]["train_loss"][0].is_null());
  std::filesystem::create_directory(folder / "group");
  std::filesystem::rename(folder / "whole", folder / "group/run");
  for (const char* table : {"{", "5", R"({"rows": 5})", R"({"rows": [5]})",
                            R"({"rows": [{"method": "kd", "last_mean": "x"}]})", R"({"rows": [], "notes": 5})"}) {
    CAPTURE(std::string(table));
    put_text(folder / "group/table.json", table);
    const nlohmann::json data = reported(folder, {folder / "group"}).data;
    CHECK(contains(missing_of(data, folder / "group/table.json"), "damaged"));
    CHECK(data["tables"].empty());
  }
}

TEST_CASE("report: a run that was stopped shows how far it came") {
  const TemporaryFolder folder;
  RunOptions o = regulated_run(folder / "run");
  o.max_steps = 6;  // within the second of three epochs
  run(o);
  const Reported r = reported(folder, {o.out});
  const auto& stopped = r.data["runs"][0];
  CHECK(contains(missing_of(r.data, "run"), "has not finished (1 of 3 epochs)"));
  CHECK(stopped["finished"] == false);
  CHECK(stopped["last"].get<double>() == doctest::Approx(metrics_of(o.out).back()["test_metric"].get<double>()));
  CHECK(stopped["ledger"] == metrics_of(o.out).back()["ledger"]);
  CHECK(stopped["conventional"]["backwards"] == 150);
  CHECK(stopped["gallery"]["most"].size() == 24);  // from the checkpoint
  CHECK(!stopped.contains("confusion"));
  CHECK(r.data["frontier"][0]["name"] == "run (not finished)");

  // Within the first epoch there is no line yet.
  RunOptions early = regulated_run(folder / "early");
  early.max_steps = 2;
  run(early);
  const Reported first = reported(folder, {early.out});
  CHECK(contains(missing_of(first.data, "early"), "no epochs"));
  CHECK(first.data["frontier"].empty());
}

TEST_CASE("report: exit codes") {
  const TemporaryFolder folder;
  check_refused(refused({}), 2, {"runs"});
  check_refused(refused({folder / "none"}), 3, {folder / "none"});
  check_refused(refused({folder.path()}), 3, {folder.path(), "config.toml"});
  put_text(folder / "bad/config.toml", "net = 5\n");
  check_refused(refused({folder / "bad"}), 3, {folder / "bad/config.toml", "net"});
  run(small_run("teach", folder / "run"));
  check_refused(refused({folder / "run", "--out", folder / "no/such/page.html"}), 7, {folder / "no/such/page.html"});
  const Finished help = check_done(retort_program({"report", "--help"}));
  for (const char* word : {"RUN", "--out", "--data", "report.html"}) CHECK(contains(help.out, word));
}
