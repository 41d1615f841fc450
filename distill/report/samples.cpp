#include "distill/report/samples.h"

#include <algorithm>
#include <numeric>

#include "data/select.h"
#include "distill/checkpoint.h"
#include "distill/evaluation.h"
#include "distill/report/data_uri.h"
#include "distill/reproduce/statistics.h"
#include "distill/run_setup.h"

namespace retort {
namespace {

constexpr int largest_picture = 64;  // pixels

std::vector<GalleryEntry> entries(const Dataset& data, const Significance& counts, const std::vector<int>& rows) {
  std::vector<GalleryEntry> out;
  for (const int row : rows) {
    const auto i = static_cast<std::size_t>(row);
    out.push_back(
        {counts.index[i], counts.label[i], -1, counts.count[i], picture_uri(data, data.train, row, largest_picture)});
  }
  return out;
}

/// Classes the last checkpoint's network predicts for these rows of the training split.
std::vector<std::int32_t> predict(const ReportedRun& run, const Dataset& data, const std::vector<std::int32_t>& rows) {
  const std::string path = checkpoint_path(run.where.folder);
  const TensorFile file = read_safetensors(path);
  const auto task = make_task(data);
  const ImageSplit part = take_rows(data.train, rows, data.image_bytes());
  Context context(Device::cpu, Precision::fp32);
  const auto network =
      network_of(file, path, run.options.net, input_of(data), task->outputs());
  network->parameters().materialise(context, 0, Trainable::no);
  load_network(file, path, *network, false);
  DeviceDataset images(context, data, part);
  context.begin_measuring();
  evaluate(context, *network, images, *task, part.count());
  context.end_measuring();
  std::vector<float> logits;
  evaluate(context, *network, images, *task, part.count(), &logits);
  return predictions_of(part, logits).prediction;
}

void add_predictions(ReportedRun& run, const Dataset& data, const std::vector<int>& most, const std::vector<int>& least,
                     SampleFindings& found) {
  if (data.classes == 0) return;
  std::vector<std::int32_t> rows(most.begin(), most.end());
  rows.insert(rows.end(), least.begin(), least.end());
  try {
    const std::vector<std::int32_t> predicted = predict(run, data, rows);
    for (std::size_t i = 0; i < most.size(); ++i) found.most[i].prediction = predicted[i];
    for (std::size_t i = 0; i < least.size(); ++i) found.least[i].prediction = predicted[most.size() + i];
  } catch (const Error& error) {
    run.missing.push_back(text("The pictures have no predictions: ", error.what(), "."));
  }
}

void add_difficulty(const Dataset& data, const Significance& counts, SampleFindings& found) {
  std::array<DifficultyThird, 3> thirds;
  for (DifficultyThird& third : thirds) third.histogram.resize(histogram_size(counts));
  const std::vector<float>& difficulty = data.train.difficulty;
  for (std::size_t i = 0; i < difficulty.size(); ++i) {
    DifficultyThird& third = thirds[static_cast<std::size_t>(std::clamp(static_cast<int>(difficulty[i] * 3), 0, 2))];
    ++third.samples;
    third.mean += counts.count[i];
    ++third.histogram[std::min(static_cast<std::size_t>(counts.count[i]), third.histogram.size() - 1)];
  }
  for (DifficultyThird& third : thirds) third.mean /= std::max(1, third.samples);
  found.difficulty = thirds;
  if (difficulty.size() > 1) {
    found.rank_correlation =
        spearman({counts.count.begin(), counts.count.end()}, {difficulty.begin(), difficulty.end()});
  }
}

}  // namespace

std::size_t histogram_size(const Significance& s) {
  return static_cast<std::size_t>(std::clamp(s.epochs, 1, 1'000'000)) + 1;
}

std::vector<int> extreme_rows(const std::vector<std::int32_t>& counts, bool highest, int wanted) {
  const auto n = std::min(static_cast<std::size_t>(wanted), counts.size());
  if (n == 0) return {};
  std::vector<int> order(counts.size());
  std::iota(order.begin(), order.end(), 0);
  const auto at = [&](int row) { return counts[static_cast<std::size_t>(row)]; };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return highest ? at(a) > at(b) : at(a) < at(b); });
  const std::int32_t last = at(order[n - 1]);
  const auto first_tie = std::find_if(order.begin(), order.end(), [&](int row) { return at(row) == last; });
  const auto behind = std::find_if(first_tie, order.end(), [&](int row) { return at(row) != last; });
  std::vector<int> rows(order.begin(), first_tie);
  const std::size_t places = n - rows.size(), ties = static_cast<std::size_t>(behind - first_tie);
  for (std::size_t k = 0; k < places; ++k) rows.push_back(first_tie[static_cast<std::ptrdiff_t>(k * ties / places)]);
  return rows;
}

const Dataset& DataSource::of(const ReportedRun& run) {
  RunOptions o = run.options;
  const std::string name = o.data.substr(0, o.data.find(':'));
  for (const std::string& moved : moved_) {
    if (moved.substr(0, moved.find(':')) == name) o.data = moved;
  }
  const bool selects = o.val_split > 0 || !o.subset.empty();
  const std::string key = text(o.data, "|", o.val_split, "|", o.limit, "|", o.subset, "|", selects ? o.seed : 0);
  if (key != key_) {
    key_.clear();  // should it throw
    data_ = dataset_of(o);
    key_ = key;
  }
  const std::string trained_on = run.data_checksum;
  RETORT_CHECK_AS(ErrorKind::input, trained_on.empty() || trained_on == data_.checksum, o.data, " is now ",
                  data_.checksum, ", the run was trained on ", trained_on);
  return data_;
}

SampleFindings look_at_samples(ReportedRun& run, DataSource& source, int wanted) {
  SampleFindings found;
  if (!run.significance) return found;
  try {
    const Dataset& data = source.of(run);
    const Significance counts =
        aligned(*run.significance, source_rows(data.train), labels_of(data.train), run.where.folder);
    const std::vector<int> most = extreme_rows(counts.count, true, wanted),
                           least = extreme_rows(counts.count, false, wanted);
    found.class_names = data.class_names;
    found.most = entries(data, counts, most);
    found.least = entries(data, counts, least);
    const auto having = [&](int count) {
      return static_cast<int>(std::count(counts.count.begin(), counts.count.end(), count));
    };
    if (!most.empty()) found.ties_most = having(found.most.back().count);
    if (!least.empty()) found.ties_least = having(found.least.back().count);
    if (!data.train.difficulty.empty()) add_difficulty(data, counts, found);
    add_predictions(run, data, most, least, found);
  } catch (const Error& error) {
    run.missing.push_back(
        text("There are no pictures of samples, for their data set cannot be read: ", error.what(), "."));
  }
  return found;
}

}  // namespace retort
