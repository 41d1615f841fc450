#include "data/select.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "kernels/error.h"

namespace retort {

namespace {

template <typename T>
void take(const std::vector<T>& from, const std::vector<std::int32_t>& rows, std::size_t width, std::vector<T>& to) {
  if (from.empty()) return;
  to.resize(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(rows[i]) * width);
    std::copy(begin, begin + static_cast<std::ptrdiff_t>(width), to.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
}

void keep_first(Dataset& dataset, ImageSplit& split, int n, const char* which) {
  RETORT_CHECK(n >= 1, dataset.name, ": a limit of ", n, " ", which, " images");
  if (n >= split.count()) return;
  std::vector<std::int32_t> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), 0);
  split = take_rows(split, rows, dataset.image_bytes());
  dataset.checksum = checksum_of(dataset);
}

const std::string kPerClass = "/class";

/// "5000" is a count; a point or a percent sign makes it a share.
int parse_amount(const std::string& amount, int count) {
  const char* begin = amount.data();
  const char* end = begin + amount.size();
  const bool percent = !amount.empty() && amount.back() == '%';
  if (percent) --end;
  if (!percent && amount.find('.') == std::string::npos) {
    int wanted = 0;
    const auto [stop, error] = std::from_chars(begin, end, wanted);
    RETORT_CHECK(error == std::errc() && stop == end && wanted >= 1 && wanted <= count, "a subset of '", amount,
                 "': expected 1 to ", count, " images, or a share such as 0.1 or 10%");
    return wanted;
  }
  double share = 0;
  const auto [stop, error] = std::from_chars(begin, end, share);
  if (percent) share /= 100;
  RETORT_CHECK(error == std::errc() && stop == end && share > 0 && share <= 1, "a subset of '", amount,
               "': a share lies above 0 and up to 1 (100%)");
  return std::clamp(static_cast<int>(std::lround(share * count)), 1, count);
}

/// The numbers 0..n-1 as Philox(seed, purpose; i) ranks them.
std::vector<std::int32_t> ranked(int n, std::uint32_t seed, Purpose purpose) {
  struct Ranked {
    std::uint64_t key;
    std::int32_t row;
  };
  std::vector<Ranked> all(static_cast<std::size_t>(n));
  for (std::int32_t i = 0; i < n; ++i) {
    const Philox4 words = philox(seed, purpose, static_cast<std::uint64_t>(i), 0, 0);
    all[static_cast<std::size_t>(i)] = {static_cast<std::uint64_t>(words.v[0]) << 32 | words.v[1], i};
  }
  std::sort(all.begin(), all.end(),
            [](const Ranked& a, const Ranked& b) { return a.key != b.key ? a.key < b.key : a.row < b.row; });
  std::vector<std::int32_t> rows;
  for (const Ranked& r : all) rows.push_back(r.row);
  return rows;
}

bool is_per_class(const std::string& amount) {
  return amount.ends_with(kPerClass);
}

/// 20 of "20/class", of `count` images.
int parse_per_class(const std::string& amount, int count, int classes) {
  int wanted = 0;
  const char* end = amount.data() + amount.size() - kPerClass.size();
  const auto [stop, error] = std::from_chars(amount.data(), end, wanted);
  RETORT_CHECK(error == std::errc() && stop == end && wanted >= 1, "a subset of '", amount,
               "': expected a number of images, such as 20/class");
  RETORT_CHECK(classes > 0, "a subset of ", amount, ": this data set has no classes");
  RETORT_CHECK(std::int64_t{wanted} * classes <= count, "a subset of ", amount, ": ", classes, " classes have only ",
               count, " training images together");
  return wanted;
}

/// So many of each class, ascending.
std::vector<std::int32_t> choose_of_each_class(const Dataset& dataset, int wanted, std::uint32_t seed) {
  std::vector<int> left(static_cast<std::size_t>(dataset.classes), wanted);
  std::vector<std::int32_t> rows;
  for (const std::int32_t row : ranked(dataset.train.count(), seed, Purpose::random_subset)) {
    if (left[static_cast<std::size_t>(dataset.train.labels[static_cast<std::size_t>(row)])]-- > 0) rows.push_back(row);
  }
  for (int c = 0; c < dataset.classes; ++c) {
    RETORT_CHECK(left[static_cast<std::size_t>(c)] <= 0, "a subset of ", wanted, "/class: class ", c, " has only ",
                 wanted - left[static_cast<std::size_t>(c)], " training images");
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

std::vector<std::int32_t> choose(int n, int chosen, std::uint32_t seed, Purpose purpose) {
  RETORT_CHECK(chosen >= 0 && chosen <= n, "cannot choose ", chosen, " of ", n);
  std::vector<std::int32_t> rows = ranked(n, seed, purpose);
  rows.resize(static_cast<std::size_t>(chosen));
  std::sort(rows.begin(), rows.end());
  return rows;
}

ImageSplit take_rows(const ImageSplit& split, const std::vector<std::int32_t>& rows, std::size_t image_bytes) {
  for (const std::int32_t row : rows) {
    RETORT_CHECK(row >= 0 && row < split.count(), "row ", row, " of ", split.count(), " samples");
  }
  ImageSplit part;
  part.target_width = split.target_width;
  part.auxiliary_width = split.auxiliary_width;
  take(split.pixels, rows, image_bytes, part.pixels);
  take(split.labels, rows, 1, part.labels);
  take(split.targets, rows, static_cast<std::size_t>(split.target_width), part.targets);
  take(split.auxiliary, rows, static_cast<std::size_t>(split.auxiliary_width), part.auxiliary);
  take(split.difficulty, rows, 1, part.difficulty);
  take(split.clean_labels, rows, 1, part.clean_labels);
  part.source.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) part.source[i] = split.source_row(rows[i]);
  return part;
}

void limit_train(Dataset& dataset, int n) {
  keep_first(dataset, dataset.train, n, "training");
}
void limit_test(Dataset& dataset, int n) {
  keep_first(dataset, dataset.test, n, "test");
}

void subset_train(Dataset& dataset, const std::string& amount, std::uint32_t seed) {
  const int count = dataset.train.count();
  const std::vector<std::int32_t> rows =
      is_per_class(amount) ? choose_of_each_class(dataset, parse_per_class(amount, count, dataset.classes), seed)
                           : choose(count, parse_amount(amount, count), seed, Purpose::random_subset);
  if (static_cast<int>(rows.size()) == count) return;
  dataset.train = take_rows(dataset.train, rows, dataset.image_bytes());
  dataset.checksum = checksum_of(dataset);
}

int subset_count(const std::string& amount, int count, int classes) {
  return is_per_class(amount) ? parse_per_class(amount, count, classes) * classes : parse_amount(amount, count);
}

void validation_split(Dataset& dataset, int n, std::uint32_t seed) {
  const int count = dataset.train.count();
  RETORT_CHECK(n > 0 && n < count, dataset.name, ": a validation split of ", n, " of ", count, " training images");
  const std::vector<std::int32_t> held = choose(count, n, seed, Purpose::validation_split);
  std::vector<std::int32_t> kept;
  kept.reserve(static_cast<std::size_t>(count - n));
  for (std::int32_t i = 0, next = 0; i < count; ++i) {
    if (next < n && held[static_cast<std::size_t>(next)] == i) {
      ++next;
    } else {
      kept.push_back(i);
    }
  }
  dataset.test = take_rows(dataset.train, held, dataset.image_bytes());
  dataset.train = take_rows(dataset.train, kept, dataset.image_bytes());
  dataset.checksum = checksum_of(dataset);
}

}  // namespace retort
