#include "kernels/cuda/cudnn_plan_name.h"

#include <charconv>

namespace retort::cuda {

CudnnPlanName CudnnPlanName::of(const CudnnDescriptor& configuration) {
  CudnnPlanName name;
  const auto engine = configuration.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  name.engine = engine.at(0).integer(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  for (const CudnnDescriptor& knob : configuration.descriptors(
           CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_KNOB_TYPE_COUNTS)) {
    const auto type = knob.array<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1);
    name.knobs.emplace_back(type.at(0), knob.integer(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
  }
  return name;
}

std::optional<CudnnPlanName> CudnnPlanName::parse(const std::string& text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto take = [&](const char* word) {
    const std::string expected = word;
    if (static_cast<std::size_t>(end - at) < expected.size() ||
        expected.compare(0, expected.npos, at, expected.size()) != 0) {
      return false;
    }
    at += expected.size();
    return true;
  };
  const auto number = [&](std::int64_t& value) {
    const auto [rest, error] = std::from_chars(at, end, value);
    at = rest;
    return error == std::errc();
  };
  CudnnPlanName name;
  if (!take("eng") || !number(name.engine)) return std::nullopt;
  while (at != end) {
    auto& [type, choice] = name.knobs.emplace_back();
    if (!take("_k") || !number(type) || !take("=") || !number(choice)) return std::nullopt;
  }
  return name;
}

std::string CudnnPlanName::text() const {
  std::string out = "eng" + std::to_string(engine);
  for (const auto& [type, choice] : knobs) out += "_k" + std::to_string(type) + "=" + std::to_string(choice);
  return out;
}

}  // namespace retort::cuda
