// What a report is made of: which runs it finds and what it calls them, which samples it shows, how a picture becomes
// text.
#include <stb/stb_image.h>

#include <algorithm>

#include "data/write.h"
#include "distill/report/data_uri.h"
#include "distill/report/find_runs.h"
#include "distill/report/page.h"
#include "distill/report/page_data.h"
#include "distill/report/samples.h"
#include "tests/distill/report/page_of.h"

using namespace retort;
using namespace retort::test;

namespace {

std::vector<std::uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

/// By bits, unlike what it checks.
std::vector<std::uint8_t> from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<bool> bits;
  for (const char c : text) {
    if (c == '=') break;
    REQUIRE(digits.find(c) != std::string::npos);
    for (int k = 5; k >= 0; --k) bits.push_back((digits.find(c) >> k & 1U) != 0);
  }
  std::vector<std::uint8_t> bytes(bits.size() / 8);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i)
    bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] << 1U | (bits[i] ? 1U : 0U));
  return bytes;
}

struct Names {
  std::vector<std::string> names, groups;
  std::size_t tables = 0;
};

Names found(const std::vector<std::string>& paths) {
  Names out;
  const FoundRuns runs = find_runs(paths);
  for (const FoundRun& run : runs.runs) {
    out.names.push_back(run.name);
    out.groups.push_back(run.group);
  }
  out.tables = runs.tables.size();
  return out;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("report: the runs in a folder, by the names that tell them apart") {
  const TemporaryFolder folder;
  for (const char* run : {"r/seed-1/hybrid", "r/seed-1/kd", "r/seed-1/teacher", "r/seed-2/hybrid", "r/seed-2/kd",
                          "r/tune/kd-lr0.1", "other/kd", "other/deeper/x"}) {
    put_text(folder / run + "/config.toml", "");
  }
  put_text(folder / "r/table.json", "{}");
  const Names all = found({folder / "r"});
  // In the order of the arms; what differs by the seed is one group; the tuning runs are left out.
  CHECK(all.names == Words{"teacher", "seed-1/kd", "seed-2/kd", "seed-1/hybrid", "seed-2/hybrid"});
  CHECK(all.groups == Words{"teacher", "kd", "kd", "hybrid", "hybrid"});
  CHECK(all.tables == 1);
  CHECK(found({folder / "r/tune"}).names == Words{"kd-lr0.1"});
  CHECK(found({folder / "r/seed-1/kd", folder / "other"}).names == Words{"seed-1/kd", "other/kd", "x"});
  CHECK(found({folder / "other/kd", folder / "other/deeper", folder / "other", folder / "other/./kd/"}).names ==
        Words{"kd", "x"});
  std::filesystem::create_directory_symlink(folder / "r", folder / "r/seed-1/circle");
  CHECK(found({folder / "r"}).names.size() == 5);
}

TEST_CASE("report: the samples at both ends, and of those that tie some from everywhere") {
  const std::vector<std::int32_t> counts = {2, 0, 5, 0, 5, 0, 1, 0, 0, 0};
  CHECK(extreme_rows(counts, true, 3) == std::vector<int>{2, 4, 0});
  CHECK(extreme_rows(counts, true, 1) == std::vector<int>{2});
  CHECK(extreme_rows(counts, false, 3) == std::vector<int>{1, 5, 8});  // 3 of the zeros at 1 3 5 7 8 9
  CHECK(extreme_rows(counts, false, 8) == std::vector<int>{1, 3, 5, 7, 8, 9, 6, 0});
  CHECK(extreme_rows(counts, true, 99).size() == 10);
  CHECK(extreme_rows({}, true, 3).empty());
  // 60 of 6,000 that tie, in a data set sorted by its ten classes, are six of each class.
  const std::vector<int> rows = extreme_rows(std::vector<std::int32_t>(6000), false, 60);
  for (int c = 0; c < 10; ++c) {
    CHECK(std::count_if(rows.begin(), rows.end(), [&](int row) { return row / 600 == c; }) == 6);
  }
}

TEST_CASE("report: base64 by RFC 4648's examples") {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : examples) CHECK(base64(bytes_of(plain)) == encoded);
  std::vector<std::uint8_t> every(256);
  for (std::size_t i = 0; i < 256; ++i) every[i] = static_cast<std::uint8_t>(i);
  CHECK(from_base64(base64(every)) == every);
}

TEST_CASE("report: a picture comes back from its URI, a large one smaller") {
  Dataset data;
  data.name = "test";
  const auto decoded = [&](int height, int width, int channels, int largest) {
    data.height = height;
    data.width = width;
    data.channels = channels;
    data.train.pixels.resize(2 * data.image_bytes());
    for (std::size_t i = 0; i < data.train.pixels.size(); ++i) data.train.pixels[i] = static_cast<std::uint8_t>(i * 7);
    const std::string uri = picture_uri(data, data.train, 1, largest), head = "data:image/png;base64,";
    REQUIRE(uri.rfind(head, 0) == 0);
    const std::vector<std::uint8_t> png = from_base64(uri.substr(head.size()));
    int w = 0, h = 0, c = 0;
    unsigned char* pixels = stbi_load_from_memory(png.data(), static_cast<int>(png.size()), &w, &h, &c, 0);
    REQUIRE(pixels != nullptr);
    const std::vector<std::uint8_t> out(pixels, pixels + w * h * c);
    stbi_image_free(pixels);
    CHECK(w <= largest);
    CHECK(h <= largest);
    CHECK(c == channels);
    return out;
  };
  const auto row = [&] {
    return std::vector<std::uint8_t>(data.train.pixels.begin() + static_cast<std::ptrdiff_t>(data.image_bytes()),
                                     data.train.pixels.end());
  };
  const std::vector<std::uint8_t> grey = decoded(28, 28, 1, 64);
  CHECK(grey == row());
  const std::vector<std::uint8_t> colour = decoded(5, 9, 3, 64);
  CHECK(colour == row());
  const std::vector<std::uint8_t> half = decoded(4, 6, 1, 3), whole = row();
  REQUIRE(half.size() == 6);  // 2 x 3
  for (std::size_t y = 0; y < 2; ++y) {
    for (std::size_t x = 0; x < 3; ++x) {
      const std::size_t at = 2 * y * 6 + 2 * x;
      const int mean = (whole[at] + whole[at + 1] + whole[at + 6] + whole[at + 7] + 2) / 4;
      CHECK(half[y * 3 + x] == mean);
    }
  }
  CHECK(decoded(200, 130, 3, 64).size() == 50 * 32 * 3);
}

TEST_CASE("report: a page stays below its size whatever it is about") {
  std::vector<ReportedFindings> runs(40);
  for (std::size_t r = 0; r < runs.size(); ++r) {
    ReportedRun& run = runs[r].run;
    run.where = {"runs/" + std::to_string(r), std::to_string(r), std::to_string(r)};
    for (int e = 1; e <= 240; ++e) {
      EpochRecord epoch;
      epoch.epoch = e;
      epoch.train_loss = epoch.test_loss = epoch.train_metric = epoch.test_metric =
          1.0 / (e + static_cast<double>(r) / 7);
      epoch.rows = 50'000;
      epoch.participants = 50'000 / e;
      epoch.rows_by_class.assign(100, 500);
      epoch.participants_by_class.assign(100, 500 / e);
      run.epochs.push_back(epoch);
    }
    run.significance = Significance{std::vector<std::int32_t>(50'000, 3), {}, {}, 240};
    Predictions p;
    for (int i = 0; i < 10'000; ++i) {
      p.label.push_back(i % 100);
      p.prediction.push_back(i * 31 % 100);
    }
    run.predictions = p;
    for (auto* gallery : {&runs[r].samples.most, &runs[r].samples.least}) {
      for (int i = 0; i < 24; ++i)
        gallery->push_back({i, 0, 0, 3, std::string(12'000, 'x') + std::to_string(r * 100) + std::to_string(i)});
    }
  }
  const nlohmann::json data = page_data(runs, {});
  CHECK(script_json(data).size() < 2'700'000);
  std::size_t shown = 0;
  for (const auto& run : data["runs"]) shown += run["gallery"]["most"].size() + run["gallery"]["least"].size();
  CHECK(data["pictures_left_out"] == 40 * 48 - shown);
  CHECK(data["pictures_left_out"] > 0);
  // Each run keeps its last epoch and a share of the pictures.
  for (const auto& run : data["runs"]) {
    CHECK(run["curves"]["epoch"].back() == 240);
    CHECK(run["curves"]["epoch"].size() > 50);
    CHECK(run["by_class"]["share"].size() == 100);
    CHECK(run["gallery"]["most"].size() >= 1);
    CHECK(run["significance"]["histogram"]["samples"].size() <= 64);
    CHECK(run["confusion"]["commonest"].size() == 20);
    CHECK(!run["confusion"].contains("matrix"));
  }
}
