#include "distill/saved_logits.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "engine/safetensors.h"
#include "kernels/error.h"

namespace retort {

std::optional<SavedLogits> read_logits(const std::string& path, const std::string& identity, std::int64_t samples,
                                       std::int64_t outputs) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  try {
    TensorFile file = read_safetensors(path);
    if (file.metadata["identity"] != identity) return std::nullopt;
    const FileTensor& logits = file.at("logits");
    if (logits.dtype != FileDType::f32 || logits.shape != std::vector<std::int64_t>{samples, outputs})
      return std::nullopt;
    return SavedLogits{logits.to_floats(), std::strtod(file.metadata["macs"].c_str(), nullptr)};
  } catch (const Error&) {
    return std::nullopt;
  }
}

void write_logits(const std::string& path, const std::string& identity, std::int64_t samples, std::int64_t outputs,
                  const SavedLogits& logits) {
  TensorFile file;
  file.tensors["logits"] = FileTensor::of(logits.values, {samples, outputs});
  file.metadata["identity"] = identity;
  char macs[32];
  std::snprintf(macs, sizeof macs, "%.17g", logits.macs);
  file.metadata["macs"] = macs;
  write_safetensors(path, file);
}

}  // namespace retort
