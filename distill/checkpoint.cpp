#include "distill/checkpoint.h"

#include <filesystem>
#include <set>

#include "kernels/error.h"

namespace retort {
namespace {

using Field = ParameterStore::Field;

std::vector<std::int64_t> extents(const Shape& shape) {
  std::vector<std::int64_t> out;
  for (int i = 0; i < shape.rank(); ++i) out.push_back(shape[i]);
  return out;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

/// num_batches_tracked is a scalar in files; our buffer has one element.
std::vector<std::int64_t> file_shape(const BufferSpec& spec) {
  return spec.integer ? std::vector<std::int64_t>{} : extents(spec.shape);
}

std::vector<float> take(const TensorFile& file, const std::string& path, const std::string& name,
                        const std::vector<std::int64_t>& shape) {
  RETORT_CHECK_AS(ErrorKind::input, file.has(name), path, ": no tensor '", name, "'");
  const FileTensor& tensor = file.at(name);
  RETORT_CHECK_AS(ErrorKind::input, tensor.shape == shape, path, ": '", name, "' has shape ",
                  shape_text(tensor.shape), ", the network wants ", shape_text(shape));
  return tensor.to_floats();
}

struct MomentField {
  Field field;
  const char* prefix;
};
constexpr MomentField moment_fields[] = {{Field::momentum, "retort/momentum/"},
                                         {Field::second_moment, "retort/second_moment/"}};

}  // namespace

void add_network(TensorFile& file, const Network& network, bool moments) {
  const ParameterStore& store = network.parameters();
  for (std::size_t i = 0; i < store.specs().size(); ++i) {
    const ParameterSpec& spec = store.specs()[i];
    file.tensors[spec.name] = FileTensor::of(store.read(i), extents(spec.logical));
    if (!moments) continue;
    for (const auto& [field, prefix] : moment_fields) {
      if (store.has(field)) file.tensors[prefix + spec.name] = FileTensor::of(store.read(i, field), extents(spec.logical));
    }
  }
  for (std::size_t i = 0; i < store.buffer_specs().size(); ++i) {
    const BufferSpec& spec = store.buffer_specs()[i];
    const std::vector<float> values = store.read_buffer(i);
    file.tensors[spec.name] = spec.integer
                                  ? FileTensor::of(std::vector<std::int64_t>{static_cast<std::int64_t>(values[0])}, {})
                                  : FileTensor::of(values, extents(spec.shape));
  }
  file.metadata["format"] = "pt";  // what PyTorch's safetensors reader expects
  file.metadata["retort_schema"] = "1";
  file.metadata["net"] = network.name();
  file.metadata["classes"] = std::to_string(network.classes());
  const ImageFormat input = network.input();
  file.metadata["input"] = text(input.height, "x", input.width, "x", input.channels);
}

void load_network(const TensorFile& file, const std::string& path, Network& network, bool moments) {
  const auto schema = file.metadata.find("retort_schema");
  RETORT_CHECK_AS(ErrorKind::input, schema == file.metadata.end() || schema->second == "1", path,
                  ": written by a newer version (schema ", schema->second, ", this one reads 1)");
  ParameterStore& store = network.parameters();
  std::set<std::string> known;
  for (std::size_t i = 0; i < store.specs().size(); ++i) {
    const ParameterSpec& spec = store.specs()[i];
    known.insert(spec.name);
    store.write(i, take(file, path, spec.name, extents(spec.logical)));
    if (!moments) continue;
    for (const auto& [field, prefix] : moment_fields) {
      if (store.has(field)) store.write(i, take(file, path, prefix + spec.name, extents(spec.logical)), field);
    }
  }
  for (std::size_t i = 0; i < store.buffer_specs().size(); ++i) {
    const BufferSpec& spec = store.buffer_specs()[i];
    known.insert(spec.name);
    // Files older than PyTorch 0.4.1 have no num_batches_tracked; nothing depends on it.
    if (spec.integer && !file.has(spec.name)) continue;
    store.write_buffer(i, take(file, path, spec.name, file_shape(spec)));
  }
  for (const auto& [name, tensor] : file.tensors) {
    RETORT_CHECK_AS(ErrorKind::input, known.count(name) != 0 || name.rfind("retort/", 0) == 0, path, ": tensor '", name,
                    "' does not belong to ", network.name());
  }
}

std::string checkpoint_path(const std::string& run_or_file) {
  if (!std::filesystem::is_directory(run_or_file)) return run_or_file;
  return (std::filesystem::path(run_or_file) / "last.safetensors").string();
}

std::unique_ptr<Network> network_of(const TensorFile& file, const std::string& path, const std::string& net,
                                    ImageFormat input, int classes) {
  const auto entry = [&](const char* key) {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? std::string() : found->second;
  };
  const std::string name = net.empty() ? entry("net") : net;
  RETORT_CHECK_AS(ErrorKind::input, !name.empty(), path, ": the file does not say which network it is; give its name");
  const std::string stored = entry("input");
  const std::string wanted = text(input.height, "x", input.width, "x", input.channels);
  RETORT_CHECK_AS(ErrorKind::input, stored.empty() || stored == wanted, path, ": made for images of ", stored,
                  ", the data set has ", wanted);
  const std::string stored_classes = entry("classes");
  RETORT_CHECK_AS(ErrorKind::input, stored_classes.empty() || stored_classes == std::to_string(classes), path,
                  ": made for ", stored_classes, " classes, the data set has ", classes);
  return make_network(name, input, classes);
}

}  // namespace retort
