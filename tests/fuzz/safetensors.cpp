#include "engine/safetensors.h"

#include "distill/normalisation.h"
#include "nets/published_names.h"
#include "tests/fuzz/fuzz.h"

using namespace retort;

namespace {

bool same(const TensorFile& a, const TensorFile& b) {
  const auto equal = [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.dtype == y.second.dtype && x.second.shape == y.second.shape &&
           x.second.bytes == y.second.bytes;
  };
  return a.metadata == b.metadata &&
         std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(), equal);
}

/// A checkpoint of a type that was not expected is an input error, too, if one that knows no path.
template <typename Convert>
void convert(const FileTensor& tensor, const Convert& to) {
  try {
    fuzz::require(to(tensor).size() == static_cast<std::size_t>(tensor.count()), "elements after conversion");
  } catch (const Error& error) {
    fuzz::require(error.kind() == ErrorKind::input, error.what());
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::run([&] {
    const TensorFile file = parse_safetensors(data, size, fuzz::file_name);
    for (const auto& [name, tensor] : file.tensors) {
      convert(tensor, [](const FileTensor& t) { return t.to_floats(); });
      convert(tensor, [](const FileTensor& t) { return t.to_integers(); });
      for (const char* net : {"resnet18", "wrn-16-2", "vgg8", "lenet5"}) own_name(net, name);
    }
    const auto bytes = serialize_safetensors(file);
    fuzz::require(same(file, parse_safetensors(bytes.data(), bytes.size(), fuzz::file_name)), "written and read again");
    const auto seen = normalisation_of(file, fuzz::file_name, 3);  // last, for it may refuse the file
    TensorFile again;
    if (seen) add_normalisation(again, *seen);
    fuzz::require(!seen || normalisation_of(again, fuzz::file_name, 3) == seen, "constants written and read again");
  });
}
