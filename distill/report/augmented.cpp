#include "distill/report/augmented.h"

#include <algorithm>
#include <cmath>

#include "data/select.h"
#include "distill/checkpoint.h"
#include "distill/device_step.h"
#include "distill/normalisation.h"
#include "distill/report/data_uri.h"
#include "distill/run_setup.h"
#include "distill/teacher.h"
#include "distill/tst/transforms.h"

namespace retort {
namespace {

constexpr int kBatches = 4, kImages = 4;  // of each batch, which gets other operations
constexpr int kLargestPicture = 64;       // pixels

/// Evenly spaced rows of the training split, as a data set of their own that is seen as the run saw it.
Dataset few_of(const Dataset& data, const TensorFile& checkpoint, const std::string& path) {
  const int count = std::min(kBatches * kImages, data.train.count());
  std::vector<std::int32_t> rows;
  for (int i = 0; i < count; ++i)
    rows.push_back(static_cast<std::int32_t>(std::int64_t{i} * data.train.count() / count));
  Dataset few;
  few.name = data.name;
  few.height = data.height;
  few.width = data.width;
  few.channels = data.channels;
  few.classes = data.classes;
  few.mean = data.mean;
  few.std = data.std;
  few.train = take_rows(data.train, rows, data.image_bytes());
  if (const auto seen = normalisation_of(checkpoint, path, data.channels)) set_normalisation(few, *seen);
  return few;
}

/// The networks and the module of a run, on the processor.
class Seen {
 public:
  Seen(const RunOptions& options, const Dataset& data, const TensorFile& file, const std::string& path)
      : data_(data),
        context_(Device::cpu, Precision::fp32),
        task_(make_task(data)),
        images_(context_, data, data.train),
        student_(network_of(file, path, options.net, input_of(data), task_->outputs())),
        teacher_(context_, options.teacher, options.teacher_net, data, *task_, false),
        transforms_(context_, read_encoders(context_, encoders_path(options), data.channels),
                    options.tst_module == "random"),
        step_(context_) {
    student_->parameters().materialise(context_, 0, Trainable::no);
    load_network(file, path, *student_, false);
    transforms_.read(file, path);
    step_.host.seed = options.seed;
  }

  std::vector<AugmentedEntry> entries() {
    context_.begin_measuring();
    transforms_.choose({Operation::brightness, Operation::color, Operation::contrast, Operation::sharpness});
    batch(0, std::min(kImages, data_.train.count()));
    context_.end_measuring();
    std::vector<AugmentedEntry> all;
    for (int first = 0; first < data_.train.count(); first += kImages) {
      step_.host.batch = first / kImages;
      step_.push();
      transforms_.choose(step_.host.seed, 0, step_.host.batch);
      for (AugmentedEntry& entry : batch(first, std::min(kImages, data_.train.count() - first))) {
        all.push_back(std::move(entry));
      }
    }
    return all;
  }

 private:
  std::vector<AugmentedEntry> batch(int first, int count) {
    std::vector<std::int32_t> rows(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) rows[static_cast<std::size_t>(i)] = first + i;
    const Tensor samples = context_.make({count}, DType::i32, "samples");
    copy_to_device(context_, rows.data(), samples);
    const StepState* state = step_.device();
    Tape tape(context_, Tape::Recording::off);
    const Tensor raw = images_.raw_batch(samples, {}, state).images, plain = images_.batch(samples, {}, state).images;
    const LearnedTransforms::Versions versions = transforms_.versions(tape, raw, state);
    const Tensor changed = blend(tape, raw, versions.images, versions.share)->value;
    const Tensor seen = blend(tape, raw, versions.images, versions.share, images_.normalisation())->value;
    std::vector<AugmentedEntry> entries(rows.size());
    const auto judge = [&](Network& network, double(AugmentedEntry::*where)[2]) {
      for (const int which : {0, 1}) {
        const Var input = tape.variable(which == 0 ? plain : seen, false);
        const std::vector<double> sure =
            probabilities(network.forward(tape, {input, samples, state}, ForwardMode::evaluation())->value, first);
        for (std::size_t i = 0; i < entries.size() && i < sure.size(); ++i) (entries[i].*where)[which] = sure[i];
      }
    };
    judge(*student_, &AugmentedEntry::student);
    judge(teacher_.network(), &AugmentedEntry::teacher);
    if (!context_.measuring()) describe(changed, first, entries);
    return entries;
  }

  /// Of the labels.
  std::vector<double> probabilities(const Tensor& logits, int first) {
    if (context_.measuring()) return {};
    std::vector<float> z(static_cast<std::size_t>(logits.count()));
    copy_to_host(context_, logits, z.data());
    const int classes = logits.shape().at(1);
    std::vector<double> out;
    for (int i = 0; i < logits.shape().at(0); ++i) {
      const float* row = z.data() + std::int64_t{i} * classes;
      const float top = *std::max_element(row, row + classes);
      double sum = 0;
      for (int c = 0; c < classes; ++c) sum += std::exp(row[c] - top);
      out.push_back(std::exp(row[data_.train.labels[static_cast<std::size_t>(first + i)]] - top) / sum);
    }
    return out;
  }

  void describe(const Tensor& changed, int first, std::vector<AugmentedEntry>& entries) {
    std::vector<float> numbers(static_cast<std::size_t>(changed.count()));
    copy_to_host(context_, changed, numbers.data());
    ImageSplit pictures;
    for (const float value : numbers) {
      pictures.pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0F, 1.0F))));
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const int row = first + static_cast<int>(i);
      entries[i].index = source_rows(data_.train)[static_cast<std::size_t>(row)];
      entries[i].label = data_.train.labels[static_cast<std::size_t>(row)];
      entries[i].operations = transforms_.chosen();
      entries[i].original = picture_uri(data_, data_.train, row, kLargestPicture);
      entries[i].augmented = picture_uri(data_, pictures, static_cast<int>(i), kLargestPicture);
    }
  }

  const Dataset& data_;
  Context context_;
  std::unique_ptr<Task> task_;
  DeviceDataset images_;
  std::unique_ptr<Network> student_;
  Teacher teacher_;
  LearnedTransforms transforms_;
  DeviceStep step_;
};

}  // namespace

std::vector<AugmentedEntry> look_at_augmentation(ReportedRun& run, DataSource& source) {
  if (run.phases.empty()) return {};
  try {
    const std::string path = checkpoint_path(run.where.folder);
    const TensorFile file = read_safetensors(path);
    const Dataset few = few_of(source.of(run), file, path);
    return Seen(run.options, few, file, path).entries();
  } catch (const Error& error) {
    run.missing.push_back(text("There are no pictures of augmented images: ", error.what(), "."));
    return {};
  }
}

}  // namespace retort
