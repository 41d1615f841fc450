// retort report: what a TST module learned and what it makes of images.
#include "tests/distill/report/page_of.h"
#include "tests/distill/tst/students.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("report: phases of a TST module, and images before and after it") {
  const Students students;
  const RunOptions o = students.student("student");
  run(o);
  const Reported page = reported(students.folder, {o.out});
  CHECK(page.data["missing"].empty());
  const auto& shown = page.data["runs"][0];
  const auto& phases = shown["phases"];
  CHECK(phases["phase"] == nlohmann::json({1, 1, 2, 2}));
  CHECK(phases["operations"].size() == 14);
  REQUIRE(phases["compared"].size() == 2);
  CHECK(phases["compared"][1]["phase"] == 2);
  CHECK(phases["compared"][1]["student"].size() == 2);
  CHECK(phases["chances"].size() == 14);
  REQUIRE(phases["strengths"].size() == 11);
  for (const auto& values : phases["strengths"]) CHECK(values.size() == 4);
  CHECK(phases["strengths"][0][0].get<double>() ==
        doctest::Approx(0.5).epsilon(0.05));  // sigmoid(0), after a little learning
  const auto& images = shown["augmented"];
  REQUIRE(images.size() == 16);
  bool changed = false;
  for (const auto& image : images) {
    for (const char* who : {"teacher", "student"}) {
      for (const auto& p : image[who]) CHECK((p.get<double>() >= 0 && p.get<double>() <= 1));
    }
    for (const auto& number : image["pictures"]) CHECK(number.get<std::size_t>() < page.data["pictures"].size());
    changed = changed || image["pictures"][0] != image["pictures"][1];
  }
  CHECK(changed);
}

TEST_CASE("report: a TST run whose teacher is gone has no pictures, and the page says so") {
  const Students students;
  const RunOptions o = students.student("student");
  run(o);
  std::filesystem::remove_all(students.folder / "teacher");
  const Reported page = reported(students.folder, {o.out});
  CHECK(!page.data["runs"][0].contains("augmented"));
  CHECK(contains(page.data["missing"].dump(), "no pictures of augmented images"));
}
