#include "distill/plan_file.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace retort {
namespace {

using nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr Precision kPrecisions[] = {Precision::fp32, Precision::tf32, Precision::bf16};

/// Eight digits of microseconds say all that a clock does.
double microseconds(double seconds) {
  return std::round(seconds * 1e9) / 1e3;
}

ordered_json to_object(const PlanFile::Entry& entry) {
  const ConvolutionProblem& problem = entry.choice.problem;
  const Conv2dShape& s = problem.shape;
  return {{"pass", name_of(problem.pass)},
          {"precision", name_of(problem.precision)},
          {"deterministic", entry.rules.deterministic},
          {"input", {s.batch, s.height, s.width, s.in_channels}},
          {"out_channels", s.out_channels},
          {"kernel", {s.kernel_h, s.kernel_w}},
          {"stride", s.stride},
          {"padding", s.padding},
          {"plan", entry.choice.plan},
          {"us", microseconds(entry.choice.seconds)},
          {"favourite_us", microseconds(entry.choice.favourite_seconds)}};
}

/// The enumerator of that name.
template <typename Enum, std::size_t n>
Enum named(const Enum (&all)[n], const ordered_json& name) {
  for (const Enum one : all) {
    if (name == name_of(one)) return one;
  }
  throw std::invalid_argument("unknown name");
}

PlanFile::Entry entry_of(const ordered_json& o) {
  PlanFile::Entry entry;
  ConvolutionProblem& problem = entry.choice.problem;
  Conv2dShape& s = problem.shape;
  problem.pass = named(convolution_passes, o.at("pass"));
  problem.precision = named(kPrecisions, o.at("precision"));
  o.at("deterministic").get_to(entry.rules.deterministic);
  const auto input = o.at("input").get<std::array<int, 4>>();
  const auto kernel = o.at("kernel").get<std::array<int, 2>>();
  s = {input[0],  input[1],  input[2],       input[3],       o.at("out_channels"),
       kernel[0], kernel[1], o.at("stride"), o.at("padding")};
  s.dtype = problem.precision == Precision::bf16 ? DType::bf16 : DType::f32;
  o.at("plan").get_to(entry.choice.plan);
  entry.choice.seconds = 1e-6 * o.at("us").get<double>();
  entry.choice.favourite_seconds = 1e-6 * o.at("favourite_us").get<double>();
  return entry;
}

}  // namespace

const char* name_of(Precision precision) {
  return precision == Precision::fp32 ? "fp32" : precision == Precision::tf32 ? "tf32" : "bf16";
}

std::vector<PlanChoice> PlanFile::choices(const PlanRules& rules) const {
  std::vector<PlanChoice> found;
  for (const Entry& entry : entries) {
    if (entry.rules == rules) found.push_back(entry.choice);
  }
  return found;
}

void PlanFile::put(const PlanRules& rules, const PlanChoice& choice) {
  for (Entry& entry : entries) {
    if (entry.rules == rules && entry.choice.problem == choice.problem) {
      entry.choice = choice;
      return;
    }
  }
  entries.push_back({rules, choice});
}

std::string to_json(const PlanFile& file) {
  const ordered_json head = {{"format", kFormat}, {"device", file.device}, {"cudnn", file.cudnn}};
  std::string out = head.dump();
  out.back() = ',';
  out += "\n \"plans\": [";
  for (const PlanFile::Entry& entry : file.entries) {
    out += (&entry == file.entries.data() ? "\n  " : ",\n  ") + to_object(entry).dump();
  }
  return out + "\n ]}\n";
}

PlanFile plan_file_of(const std::string& json, const std::string& name) {
  try {
    const ordered_json object = ordered_json::parse(json);
    RETORT_CHECK_AS(ErrorKind::input, object.at("format") == kFormat, name, ": written by another version of Retort");
    PlanFile file;
    object.at("device").get_to(file.device);
    object.at("cudnn").get_to(file.cudnn);
    for (const ordered_json& entry : object.at("plans")) file.entries.push_back(entry_of(entry));
    return file;
  } catch (const ordered_json::exception&) {
  } catch (const std::invalid_argument&) {
  }
  fail(ErrorKind::input, text(name, ": not a file of plans, or damaged"));
}

}  // namespace retort
