// retort report: augmented images where the page has room for few or none.
#include "distill/report/page_data.h"
#include "tests/distill/report/page_of.h"

using namespace retort;
using namespace retort::test;

namespace {

/// The page of one run with these pictures, each pair of images in as many characters.
nlohmann::json page_with(const std::vector<std::size_t>& sizes) {
  ReportedFindings found;
  found.run.where.name = "tst";
  for (const std::size_t size : sizes) {
    AugmentedEntry entry;
    entry.original = std::string(size / 2, static_cast<char>('a' + found.augmented.size()));
    entry.augmented = std::string(size / 2, static_cast<char>('A' + found.augmented.size()));
    found.augmented.push_back(entry);
  }
  return page_data({found}, {});
}

}  // namespace

TEST_CASE("report: augmented images are counted where they are left out, and no empty list of them is left") {
  const nlohmann::json all = page_with({100, 100});
  CHECK(all["runs"][0]["augmented"].size() == 2);
  CHECK(all["pictures_left_out"] == 0);
  const nlohmann::json some = page_with({1'000'000, 1'000'000});
  CHECK(some["runs"][0]["augmented"].size() == 1);
  CHECK(some["pictures_left_out"] == 2);
  const nlohmann::json none = page_with({2'000'000, 100});
  CHECK(!none["runs"][0].contains("augmented"));
  CHECK(none["pictures_left_out"] == 4);
}
