#include "distill/checkpoint.h"

#include <filesystem>

#include "distill/state_dict.h"
#include "kernels/error.h"

namespace retort {
namespace {

using Field = ParameterStore::Field;

/// One of a run's own tensors.
std::vector<float> take(const TensorFile& file, const std::string& path, const std::string& name, const Shape& shape) {
  RETORT_CHECK_AS(ErrorKind::input, file.has(name), path, ": no tensor '", name, "'");
  RETORT_CHECK_AS(ErrorKind::input, file.at(name).shape == shape.extents(), path, ": '", name,
                  "' has another shape than the network's ", shape);
  return file.at(name).to_floats();
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
    file.tensors[spec.name] = FileTensor::of(store.read(i), spec.logical.extents());
    if (!moments) continue;
    for (const auto& [field, prefix] : moment_fields) {
      if (!store.has(field)) continue;
      file.tensors[prefix + spec.name] = FileTensor::of(store.read(i, field), spec.logical.extents());
    }
  }
  for (std::size_t i = 0; i < store.buffer_specs().size(); ++i) {
    const BufferSpec& spec = store.buffer_specs()[i];
    const std::vector<float> values = store.read_buffer(i);
    file.tensors[spec.name] = spec.integer
                                  ? FileTensor::of(std::vector<std::int64_t>{static_cast<std::int64_t>(values[0])}, {})
                                  : FileTensor::of(values, spec.shape.extents());
  }
  file.metadata["format"] = "pt";  // what PyTorch's safetensors reader expects
  file.metadata["retort_schema"] = "1";
  file.metadata["net"] = network.name();
  file.metadata["classes"] = std::to_string(network.classes());
  file.metadata["input"] = to_text(network.input());
}

void load_network(const TensorFile& file, const std::string& path, Network& network, bool moments) {
  const auto schema = file.metadata.find("retort_schema");
  RETORT_CHECK_AS(ErrorKind::input, schema == file.metadata.end() || schema->second == "1", path,
                  ": written by a newer version (schema ", printable(schema->second), ", this one reads 1)");
  const auto found = match_state_dict(file, path, network);
  ParameterStore& store = network.parameters();
  for (std::size_t i = 0; i < store.specs().size(); ++i) {
    const ParameterSpec& spec = store.specs()[i];
    store.write(i, found.at(spec.name)->to_floats());
    if (!moments) continue;
    for (const auto& [field, prefix] : moment_fields) {
      if (store.has(field)) store.write(i, take(file, path, prefix + spec.name, spec.logical), field);
    }
  }
  for (std::size_t i = 0; i < store.buffer_specs().size(); ++i) {
    // Files older than PyTorch 0.4.1 have no num_batches_tracked.
    const auto buffer = found.find(store.buffer_specs()[i].name);
    if (buffer != found.end()) store.write_buffer(i, buffer->second->to_floats());
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
  const std::string wanted = to_text(input);
  RETORT_CHECK_AS(ErrorKind::input, stored.empty() || stored == wanted, path, ": made for images of ",
                  printable(stored), ", the data set has ", wanted);
  const std::string stored_classes = entry("classes");
  RETORT_CHECK_AS(ErrorKind::input, stored_classes.empty() || stored_classes == std::to_string(classes), path,
                  ": made for ", printable(stored_classes), " classes, the data set has ", classes);
  return make_network(name, input, classes);
}

}  // namespace retort
