#include "distill/state_dict.h"

#include <algorithm>
#include <cmath>

#include "nets/names.h"
#include "nets/published_names.h"

namespace retort {
namespace {

constexpr std::size_t most_named = 4;  // of the tensors that a message complains about

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return printable(out + "]");
}

std::string quoted(const std::string& name) {
  return "'" + printable(name) + "'";
}

/// "a, b and 3 more"
std::string some_of(const std::vector<std::string>& all) {
  const std::size_t named = std::min(all.size(), most_named);
  std::string out = joined({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(named)});
  if (all.size() > named) out += text(" and ", all.size() - named, " more");
  return out;
}

/// One parameter or buffer of a network.
struct Wanted {
  std::string name;
  std::vector<std::int64_t> shape;
  bool counter = false;  ///< num_batches_tracked, which nothing depends on
};

std::vector<Wanted> wanted_by(const Network& network) {
  std::vector<Wanted> all;
  for (const ParameterSpec& spec : network.parameters().specs()) all.push_back({spec.name, spec.logical.extents()});
  for (const BufferSpec& spec : network.parameters().buffer_specs()) {
    all.push_back({spec.name, spec.shape.extents(), spec.integer});
  }
  return all;
}

bool floating(FileDType dtype) {
  return dtype == FileDType::f32 || dtype == FileDType::f64 || dtype == FileDType::f16 || dtype == FileDType::bf16;
}

/// The file's tensors by a network's names, and what does not fit.
struct Match {
  std::map<std::string, const FileTensor*> found;
  std::vector<std::string> missing, unshaped, untyped, unknown, doubled;
  bool fits() const {
    return missing.empty() && unshaped.empty() && untyped.empty() && unknown.empty() && doubled.empty();
  }
};

Match match(const TensorFile& file, const Network& network) {
  const bool own = is_checkpoint(file);
  Match m;
  std::map<std::string, std::string> names;  // the network's, the file's
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with("retort/")) continue;
    const auto [place, fresh] = names.emplace(own ? name : own_name(network.name(), name), name);
    if (!fresh) m.doubled.push_back(text(quoted(place->second), " and ", quoted(name)));
  }
  for (const Wanted& wanted : wanted_by(network)) {
    const auto name = names.find(wanted.name);
    if (name == names.end()) {
      if (!wanted.counter) m.missing.push_back(text("'", wanted.name, "' ", shape_text(wanted.shape)));
      continue;
    }
    const FileTensor& tensor = file.tensors.at(name->second);
    const bool one = wanted.counter && tensor.count() == 1;
    if (tensor.shape != wanted.shape && !one) {
      m.unshaped.push_back(
          text(quoted(name->second), " has shape ", shape_text(tensor.shape), ", not ", shape_text(wanted.shape)));
    } else if (!wanted.counter && !floating(tensor.dtype)) {
      m.untyped.push_back(quoted(name->second));
    }
    m.found[wanted.name] = &tensor;
    names.erase(name);
  }
  for (const auto& [name, in_file] : names) {
    if (!name.ends_with("num_batches_tracked")) m.unknown.push_back(quoted(in_file));
  }
  return m;
}

/// Channels and classes as the first and the last layer have them; what cannot be read is as in the literature.
NetworkFormat read_format(const TensorFile& file, const std::string& net) {
  const bool lenet = net.starts_with("lenet"), gaze = net == "lenet-gaze";
  NetworkFormat format{net, gaze ? ImageFormat{36, 60, 1} : lenet ? ImageFormat{28, 28, 1} : ImageFormat{32, 32, 3}, 2};
  const auto probe = make_network(net, format.input, format.classes);
  const Match m = match(file, *probe);
  const auto shape = [&](const std::string& name, std::size_t rank) {
    const auto found = m.found.find(name);
    const bool there = found != m.found.end() && found->second->shape.size() == rank;
    return there ? found->second->shape : std::vector<std::int64_t>();
  };
  const std::vector<ParameterSpec>& specs = probe->parameters().specs();
  const auto stem = shape(specs.front().name, 4);
  if (!stem.empty() && stem[1] >= 1 && stem[1] <= 4) format.input.channels = static_cast<int>(stem[1]);
  const auto head = shape(specs.back().name, 1);
  // Whoever has more classes has as many bytes of weights, or is refused for their shape before any memory is made.
  if (!head.empty() && head[0] >= 2 && head[0] <= 1 << 24) format.classes = static_cast<int>(head[0]);
  if (!lenet) return format;
  const auto conv2 = shape("conv2.bias", 1), fc1 = shape("fc1.weight", 2);
  if (conv2.empty() || fc1.empty() || conv2[0] < 1) return format;
  // What is left of a square image's side s behind both pools: (s / 2 - 4) / 2, or without padding ((s - 4) / 2 - 4) / 2.
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(fc1[1] / conv2[0]))));
  if (side >= 1 && side <= 512 && side * side * conv2[0] == fc1[1]) {
    format.input.height = format.input.width = static_cast<int>(4 * side + (gaze ? 12 : 8));
  }
  return format;
}

std::string entry(const TensorFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? std::string() : found->second;
}

/// ". It fits resnet20, wrn-16-2", or nothing.
std::string what_fits(const TensorFile& file) {
  std::vector<std::string> fitting;
  for (const std::string& name : network_names()) {
    const NetworkFormat format = read_format(file, name);
    if (match(file, *make_network(name, format.input, format.classes)).fits()) fitting.push_back(name);
  }
  return fitting.empty() ? std::string() : ". It fits " + joined(fitting);
}

}  // namespace

bool is_checkpoint(const TensorFile& file) {
  return file.metadata.count("retort_schema") != 0;
}

std::map<std::string, const FileTensor*> match_state_dict(const TensorFile& file, const std::string& path,
                                                          const Network& network) {
  Match m = match(file, network);
  if (m.fits()) return std::move(m.found);
  std::string problems;
  const auto say = [&](const std::vector<std::string>& which, const char* before, const char* after) {
    if (!which.empty()) problems += (problems.empty() ? "" : "; ") + text(before, some_of(which), after);
  };
  say(m.missing, "no tensor ", "");
  say(m.unshaped, "", "");
  say(m.untyped, "not floating-point: ", "");
  say(m.unknown, "not of this network: ", "");
  say(m.doubled, "two names of the same: ", "");
  fail(ErrorKind::input, text(path, " does not fit ", network.name(), ": ", problems, what_fits(file)));
}

ImageFormat parse_image_format(const std::string& words, ErrorKind kind, const std::string& who) {
  std::vector<int> numbers;
  for (std::size_t begin = 0; words.size() < 32 && begin <= words.size();) {
    const std::size_t end = std::min(words.find('x', begin), words.size());
    numbers.push_back(whole_number(std::string_view(words).substr(begin, end - begin)).value_or(0));
    begin = end + 1;
  }
  const bool good = (numbers.size() == 3 || numbers.size() == 4) && *std::min_element(numbers.begin(), numbers.end()) >= 1 &&
                    *std::max_element(numbers.begin(), numbers.end()) <= 4096;
  RETORT_CHECK_AS(kind, good, who, ": ", quoted(words), " is no image format (32x32x3: height, width, channels, and how many numbers beside the image if any)");
  return {numbers[0], numbers[1], numbers[2], numbers.size() == 4 ? numbers[3] : 0};
}

std::string to_text(ImageFormat format) {
  const std::string image = text(format.height, "x", format.width, "x", format.channels);
  return format.auxiliary > 0 ? text(image, "x", format.auxiliary) : image;
}

NetworkFormat format_of(const TensorFile& file, const std::string& path, const std::string& net,
                        const std::string& input) {
  const std::string stored_net = entry(file, "net"), stored_input = entry(file, "input");
  const std::string stored_classes = entry(file, "classes");
  const std::string name = net.empty() ? stored_net : net;
  RETORT_CHECK_AS(ErrorKind::input, !name.empty(), path,
                  ": the file does not say which network it is; give its name with --net");
  RETORT_CHECK_AS(ErrorKind::input, stored_input.empty() || input.empty() || stored_input == input, path,
                  ": made for images of ", printable(stored_input), ", not ", input);
  NetworkFormat format = read_format(file, name);
  if (!input.empty()) format.input = parse_image_format(input, ErrorKind::usage, "--input");
  if (!stored_input.empty()) format.input = parse_image_format(stored_input, ErrorKind::input, path);
  if (!stored_classes.empty()) {
    const auto classes = whole_number(stored_classes);
    RETORT_CHECK_AS(ErrorKind::input, classes && *classes <= 1 << 24, path, ": ", quoted(stored_classes), " classes");
    format.classes = *classes;
  }
  return format;
}

}  // namespace retort
