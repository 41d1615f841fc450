// From "NAME:PATH" to a data set: the only place that knows every format.
#include <algorithm>
#include <charconv>

#include "data/cifar.h"
#include "data/dataset.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/mpiigaze.h"
#include "data/select.h"
#include "data/synthetic.h"
#include "data/synthetic_gaze.h"
#include "kernels/error.h"

namespace retort {

namespace {

/// Takes ",size=N" off the end of a folder's path.
int folder_size(std::string& path, int otherwise) {
  const std::string key = ",size=";
  const std::size_t at = path.rfind(key);
  int size = otherwise;
  if (at != std::string::npos) {
    const char* begin = path.data() + at + key.size();
    const char* end = path.data() + path.size();
    const auto [stop, error] = std::from_chars(begin, end, size);
    RETORT_CHECK(error == std::errc() && stop == end, "folder: '", path.substr(at + 1), "' is no size");
    path.resize(at);
  }
  RETORT_CHECK(size >= 8 && size <= 512, "folder: a size of ", size, "; 8 to 512 pixels are possible");
  return size;
}

Dataset load_named(const std::string& name, std::string path, const LoadOptions& options) {
  if (name == "synthetic") return make_synthetic(parse_synthetic(path));
  if (name == "gaze-synthetic") return make_synthetic_gaze(parse_synthetic_gaze(path));
  RETORT_CHECK(!path.empty(), name, " needs a path: ", name, ":PATH");
  if (name == "mnist" || name == "fashion-mnist") return load_idx(name, path);
  if (name == "mpiigaze") return load_mpiigaze(path);
  if (name == "cifar10" || name == "cifar100") return load_cifar(name, path);
  const int size = folder_size(path, options.folder_size);
  return load_image_folder(path, size);
}

}  // namespace

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = {"mnist",    "fashion-mnist", "cifar10",
                                                 "cifar100", "folder",        "mpiigaze", "synthetic", "gaze-synthetic"};
  return names;
}

Dataset load_dataset(const std::string& spec, const LoadOptions& options) {
  const std::size_t colon = spec.find(':');
  const std::string name = spec.substr(0, colon);
  const std::vector<std::string>& names = dataset_names();
  RETORT_CHECK(std::find(names.begin(), names.end(), name) != names.end(), "unknown data set '", name,
               "'; known: mnist:PATH, fashion-mnist:PATH, cifar10:PATH, cifar100:PATH, folder:PATH[,size=N], "
               "mpiigaze:PATH[,person=N], synthetic[:key=value,...], gaze-synthetic[:key=value,...]");
  RETORT_CHECK(options.val_split >= 0 && options.limit >= 0 && options.limit_test >= 0, "val_split ", options.val_split,
               ", limit ", options.limit, " and limit_test ", options.limit_test, " cannot be negative");
  Dataset dataset = load_named(name, colon == std::string::npos ? std::string() : spec.substr(colon + 1), options);
  if (options.val_split > 0) validation_split(dataset, options.val_split, options.seed);
  if (options.limit > 0) limit_train(dataset, options.limit);
  if (options.limit_test > 0) limit_test(dataset, options.limit_test);
  if (!options.subset.empty()) subset_train(dataset, options.subset, options.seed);
  return dataset;
}

}  // namespace retort
