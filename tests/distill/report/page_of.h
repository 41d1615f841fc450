// A page of `retort report` as a test reads it.
#pragma once

#include "tests/distill/runs.h"

namespace retort::test {

/// What stands between `open` and the next `close`, once in the page.
inline std::string between(const std::string& page, const std::string& open, const std::string& close) {
  const std::size_t found = page.find(open), begin = found + open.size();
  REQUIRE(found != std::string::npos);
  CHECK(page.find(open, begin) == std::string::npos);
  const std::size_t end = page.find(close, begin);
  REQUIRE(end != std::string::npos);
  return page.substr(begin, end - begin);
}

/// The data in a page's text.
inline nlohmann::json data_in(const std::string& page) {
  return nlohmann::json::parse(between(page, "<script type=\"application/json\" id=\"data\">", "</script>"));
}

struct Reported {
  std::string page, said;
  nlohmann::json data;
};

/// Runs `retort report` with `--out` in the folder.
inline Reported reported(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  const std::string out = folder / "report.html";
  arguments.insert(arguments.begin(), "report");
  arguments.insert(arguments.end(), {"--out", out});
  Reported r;
  r.said = check_done(retort_program(arguments)).out;
  r.page = contents(out);
  r.data = data_in(r.page);
  return r;
}

/// Everything that the page says is missing of a run.
inline std::string missing_of(const nlohmann::json& data, const std::string& run) {
  std::string all;
  for (const auto& entry : data["missing"]) {
    if (entry["name"] != run) continue;
    for (const auto& what : entry["what"]) all += what.get<std::string>() + "\n";
  }
  return all;
}

inline RunOptions regulated_run(const std::string& out) {
  RunOptions o = small_run("teach", out);
  o.regulation = "mask";
  o.epochs = 3;
  return o;
}

}  // namespace retort::test
