// Gathering with crop, flip and normalisation against a direct reading of the definition; plain gathers; the queue.
#include "tests/reference/augmentation.h"

#include <algorithm>
#include <deque>

#include "tests/cases/augmentation_cases.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

StepState state_of(std::uint32_t seed, std::uint32_t epoch) {
  StepState state;
  state.seed = seed;
  state.epoch = epoch;
  return state;
}

Values data_set_of(const cases::AugmentCase& c) {
  const AugmentShape& s = c.shape;
  return random_integers(1UL * c.data_set * s.height * s.width * s.channels, 1, 256);
}

Values run_gather(const Backend& backend, AugmentShape s, const Values& images, const Values& who,
                  const StepState& host) {
  s.rows = static_cast<int>(who.size());
  const DeviceStruct<StepState> state(backend, host, Buffer::Use::input);
  const Buffer pixels = input(backend, DType::u8, images);
  const Buffer samples = input(backend, DType::i32, who);
  const Buffer out = output(backend, s.dtype, 1UL * s.rows * s.height * s.width * s.out_channels);
  backend.gather_augment({}, s, pixels.as<std::uint8_t>(), samples.i32(), {}, state.data(), out.data());
  return out.values();
}

BACKEND_TEST("gathered images are the crop, flip and normalisation that the counters of their samples name") {
  NEEDS(gather_augment);
  for (const cases::AugmentCase& c : cases::augment_cases()) {
    CAPTURE(c.id);
    const Values images = data_set_of(c);
    const Values who = random_integers(c.shape.rows, 2, c.data_set);
    const StepState state = state_of(8, 3);
    const Values expected = reference::gather_augment(c.shape, images, who, state);
    Values bounds;
    for (const double value : expected) {  // pixel * scale is below 6
      bounds.push_back(2 * 0x1p-24 * 6 + unit_roundoff(c.shape.dtype) * std::abs(value) + FLT_MIN);
    }
    check_within("images", run_gather(backend, c.shape, images, who, state), expected, bounds);
  }
}

TEST_CASE("the reference crop reaches every offset and flips half of the samples") {
  AugmentShape s;
  s.crop_padding = 4;
  s.flip = true;
  std::vector<int> offsets(81, 0);
  int flips = 0;
  for (std::uint64_t sample = 0; sample < 8100; ++sample) {
    const reference::Placement p = reference::placement(s, state_of(1, 0), sample);
    ++offsets[p.row * 9 + p.column];
    flips += p.flip;
  }
  for (const int count : offsets) CHECK(std::abs(count - 100) < 60);
  CHECK(std::abs(flips - 4050) < 270);
}

BACKEND_TEST("a sample's crop does not depend on its place in the batch or on the others in it") {
  NEEDS(gather_augment);
  const cases::AugmentCase c = cases::augment_cases().back();
  const Values images = data_set_of(c);
  const StepState state = state_of(8, 3);
  const std::size_t image = 32UL * 32 * 3;
  const Values together = run_gather(backend, c.shape, images, {5, 17, 9, 17, 0}, state);
  const auto part = [&](std::size_t i) {
    return Values(together.begin() + static_cast<long>(i * image),
                  together.begin() + static_cast<long>((i + 1) * image));
  };
  CHECK(run_gather(backend, c.shape, images, {17}, state) == part(1));
  CHECK(run_gather(backend, c.shape, images, {0}, state) == part(4));
  CHECK(part(1) == part(3));
}

BACKEND_TEST("another epoch or seed places the crops anew") {
  NEEDS(gather_augment);
  const cases::AugmentCase c = cases::augment_cases().back();
  const Values images = data_set_of(c);
  const Values who = random_integers(c.shape.rows, 2, c.data_set);
  const Values base = run_gather(backend, c.shape, images, who, state_of(8, 3));
  CHECK(run_gather(backend, c.shape, images, who, state_of(8, 3)) == base);
  CHECK(run_gather(backend, c.shape, images, who, state_of(8, 4)) != base);
  CHECK(run_gather(backend, c.shape, images, who, state_of(9, 3)) != base);
}

BACKEND_TEST("without padding and flip the image arrives as it is, whatever the seed") {
  NEEDS(gather_augment);
  AugmentShape s;
  s.height = 3;
  s.width = 2;
  s.channels = s.out_channels = 1;
  const Values images{0, 1, 2, 3, 4, 255, 10, 20, 30, 40, 50, 60};
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    CHECK(run_gather(backend, s, images, {1, 0}, state_of(seed, seed)) ==
          Values{10, 20, 30, 40, 50, 60, 0, 1, 2, 3, 4, 255});
  }
}

BACKEND_TEST("mixtures have no label, and which samples are mixed is a matter of seed and epoch alone") {
  NEEDS(gather_augment);
  AugmentShape s;
  s.height = s.width = s.channels = s.out_channels = 1;
  constexpr int data_set = 400;
  s.rows = data_set;
  s.mix = {MixKind::mixup, 0.3F, 1, data_set};
  Values all(data_set);
  for (int i = 0; i < data_set; ++i) all[i] = i;
  const Buffer images = input(backend, DType::u8, random_integers(data_set, 4, 256));
  const Buffer labels_of_all = input(backend, DType::i32, Values(data_set, 7.0));
  const auto labels_of = [&](const Values& who, std::uint32_t epoch) {
    const DeviceStruct<StepState> state(backend, state_of(3, epoch), Buffer::Use::input);
    const Buffer samples = input(backend, DType::i32, who), labels = output(backend, DType::i32, who.size());
    const Buffer out = output(backend, DType::f32, who.size());
    AugmentShape shape = s;
    shape.rows = static_cast<int>(who.size());
    BatchColumns columns;
    columns.labels_from = labels_of_all.i32();
    columns.labels = labels.i32();
    backend.gather_augment({}, shape, images.as<std::uint8_t>(), samples.i32(), columns, state.data(), out.data());
    return labels.values();
  };
  const Values first = labels_of(all, 1), second = labels_of(all, 2);
  const auto mixed = std::count(first.begin(), first.end(), no_label);
  CHECK(std::abs(mixed - 120) < 40);
  CHECK(std::count(first.begin(), first.end(), 7) == data_set - mixed);
  CHECK(first != second);
  CHECK(labels_of({17, 3}, 1) == Values{first[17], first[3]});
}

BACKEND_TEST("a sample is mixed with another one, or, where it is the only one, with itself") {
  NEEDS(gather_augment);
  AugmentShape s;
  s.height = s.width = s.channels = s.out_channels = 1;
  for (const int data_set : {1, 2}) {
    s.mix = {MixKind::mixup, 1, 1, data_set};
    const Values images = data_set == 1 ? Values{100} : Values{0, 200};
    for (std::uint32_t epoch = 0; epoch < 20; ++epoch) {
      const Values found = run_gather(backend, s, images, data_set == 1 ? Values{0} : Values{0, 1}, state_of(1, epoch));
      for (std::size_t i = 0; i < found.size(); ++i) {
        const double share = reference::mixture(s, state_of(1, epoch), i).share;
        const double want = data_set == 1 ? 100 : 200 * (i == 0 ? 1 - share : share);
        CHECK(std::abs(found[i] - want) < 1e-3);
      }
    }
  }
}

TEST_CASE("the reference mixtures reach every partner, both kinds, and shares as Beta(k, k) has them") {
  AugmentShape s;
  s.height = s.width = 32;
  constexpr int n = 20000;
  for (const int beta : {1, 2, 8}) {
    s.mix = {MixKind::either, 0.5F, beta, 10};
    std::vector<int> partners(10, 0);
    int mixed = 0, cut = 0;
    double sum = 0, squares = 0, area = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      const std::uint64_t sample = i % 10;
      const reference::Mixture m = reference::mixture(s, state_of(1, i / 10), sample);
      if (!m.mixed) continue;
      CHECK(m.partner != sample);
      ++mixed;
      ++partners[m.partner];
      cut += m.cut;
      sum += m.share;
      squares += (m.share - 0.5) * (m.share - 0.5);
      area += (m.bottom - m.top) * (m.right - m.left) / 1024.0;
    }
    CHECK(std::abs(mixed - n / 2) < 300);
    CHECK(std::abs(cut - mixed / 2) < 300);
    for (const int count : partners) CHECK(std::abs(count - mixed / 10) < 150);
    CHECK(std::abs(sum / mixed - 0.5) < 0.02);
    CHECK(squares / mixed == doctest::Approx(1.0 / (4 * (2 * beta + 1))).epsilon(0.06));  // the variance of Beta(k, k)
    CHECK(area / mixed > 0.2);  // half of the area on average, less what leaves the image
    CHECK(area / mixed < 0.5);
  }
}

/// `width` numbers of each sample.
Values rows_of(const Values& values, int width, const Values& who) {
  Values rows;
  for (const double number : who) {
    const auto first = values.begin() + static_cast<long>(number) * width;
    rows.insert(rows.end(), first, first + width);
  }
  return rows;
}

BACKEND_TEST("labels and float rows are gathered by sample, those that there are, beside the images") {
  NEEDS(gather_augment);
  constexpr int data_set = 60;
  AugmentShape s;
  s.height = s.width = s.channels = s.out_channels = 1;
  const Values pixels = random_integers(data_set, 4, 256);
  const Values label_values = random_integers(data_set, 2, 1000);
  const Buffer images = input(backend, DType::u8, pixels);
  const Buffer all_labels = input(backend, DType::i32, label_values);
  const DeviceStruct<StepState> state(backend, {}, Buffer::Use::input);
  for (const int rows : {1, 7, 128, 1000}) {
    const Values who = random_integers(rows, 1, data_set);
    const Buffer samples = input(backend, DType::i32, who);
    s.rows = rows;
    for (const int width : {1, 3, 10, 100}) {
      const Values float_values = normal_values(1UL * data_set * width, 3);
      const Buffer all_floats = input(backend, DType::f32, float_values);
      const Values want_floats = rows_of(float_values, width, who);
      for (int present = 0; present < 16; ++present) {  // a bit a column
        CAPTURE(present);
        const auto has_floats = [&](int i) { return (present & 2 << i) != 0; };
        const auto column = [&](int i) { return output(backend, DType::f32, has_floats(i) ? 1UL * rows * width : 0); };
        const Buffer floats[BatchColumns::kFloats] = {column(0), column(1), column(2)};
        const Buffer labels = output(backend, DType::i32, present & 1 ? rows : 0);
        const Buffer out = output(backend, DType::f32, rows);
        BatchColumns columns;
        if (present & 1) columns.labels_from = all_labels.i32();
        columns.labels = present & 1 ? labels.i32() : nullptr;
        for (int i = 0; i < BatchColumns::kFloats; ++i) {
          if (has_floats(i)) columns.floats[i] = {all_floats.f32(), floats[i].f32(), width};
        }
        backend.gather_augment({}, s, images.as<std::uint8_t>(), samples.i32(), columns, state.data(), out.data());
        check_equal("images", out.values(), rows_of(pixels, 1, who));
        if (present & 1) check_equal("labels", labels.values(), rows_of(label_values, 1, who));
        for (int i = 0; i < BatchColumns::kFloats; ++i) {
          if (has_floats(i)) check_equal("floats", floats[i].values(), want_floats);
        }
      }
      const Buffer alone = output(backend, DType::f32, 1UL * rows * width);
      backend.gather_floats({}, rows, width, all_floats.f32(), samples.i32(), alone.f32());
      check_equal("floats alone", alone.values(), want_floats);
    }
  }
}

BACKEND_TEST("a batch whose loss is not finite is not queued") {
  NEEDS(queue_push);
  StepState skipped;
  skipped.verdict = static_cast<std::int32_t>(StepVerdict::loss_not_finite);
  const DeviceStruct<StepState> state(backend, skipped);
  const Buffer queue = inout(backend, DType::i32, {3, 0, 0, 0}), count = inout(backend, DType::i32, {1});
  const Buffer samples = input(backend, DType::i32, {5, 6}), participates = input(backend, DType::i32, {1, 1});
  backend.queue_push({}, 2, samples.i32(), participates.i32(), state.data(), queue.i32(), count.i32());
  CHECK(queue.values() == Values{3, 0, 0, 0});
  CHECK(count.values()[0] == 1);
}

BACKEND_TEST("the queue hands participants out in the order they came, and carries the rest over") {
  NEEDS(queue_push);
  for (const int rows : {1, 5, 64, 300}) {
    for (const int batch : {1, 4, 64}) {
      CAPTURE(rows);
      CAPTURE(batch);
      const int capacity = 2 * (rows + batch) + 7;
      const Buffer queue = output(backend, DType::i32, capacity);
      const Buffer count = inout(backend, DType::i32, {0});
      const Buffer out = output(backend, DType::i32, batch);
      const DeviceStruct<StepState> state(backend, {});
      std::deque<double> model;
      for (std::uint32_t round = 0; round < 12; ++round) {
        while (static_cast<int>(model.size()) + rows <= capacity) {
          const Values who = random_integers(rows, 10 + round, 50000);
          // every mask is met: none, all, and a mixture
          Values mask = random_integers(rows, 30 + round, 2);
          if (round % 4 != 0) mask.assign(rows, round % 4 == 1 ? 0 : 1);
          const Buffer samples = input(backend, DType::i32, who);
          const Buffer participates = input(backend, DType::i32, mask);
          backend.queue_push({}, rows, samples.i32(), participates.i32(), state.data(), queue.i32(), count.i32());
          for (int i = 0; i < rows; ++i) {
            if (mask[i] > 0) model.push_back(who[i]);
          }
          CHECK(count.values()[0] == static_cast<double>(model.size()));
          if (round % 4 == 1) break;
          if (std::count(mask.begin(), mask.end(), 1.0) == 0) break;
        }
        while (static_cast<int>(model.size()) >= batch) {
          backend.queue_pop({}, batch, queue.i32(), count.i32(), out.i32());
          const Values expected(model.begin(), model.begin() + batch);
          model.erase(model.begin(), model.begin() + batch);
          check_equal("out", out.values(), expected);
          CHECK(count.values()[0] == static_cast<double>(model.size()));
          if (round % 3 == 2) break;  // leave more than a batch behind
        }
        const Values contents = queue.values();
        CHECK(Values(contents.begin(), contents.begin() + static_cast<long>(model.size())) ==
              Values(model.begin(), model.end()));
      }
    }
  }
}

}  // namespace
}  // namespace retort::test
