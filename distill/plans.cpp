#include "distill/plans.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "data/file.h"
#include "distill/run_plans.h"
#include "distill/run_setup.h"
#include "nets/convolutions.h"

namespace retort {
namespace {

std::string description(const std::string& file) {
  if (file.empty()) return {};
  std::string json = read_text(file);
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  RETORT_CHECK_AS(ErrorKind::input, parsed.is_object() && parsed.contains("deviceVer"), file,
                  ": not a description of a device in cuDNN's JSON (retort info --describe-device prints one)");
  return json;
}

struct Line {
  std::string net;
  ConvolutionProblem problem;
  ConvolutionPlanReport plan;
  double seconds = 0, favourite_seconds = 0;
};

/// Every convolution of every network, by network, batch and precision.
std::vector<Line> lines_of(const PlanListing& listing) {
  std::vector<Line> lines;
  for (const std::string& net : listing.nets.empty() ? network_names() : listing.nets) {
    const bool lenet = net.rfind("lenet", 0) == 0;
    const auto network = make_network(net, lenet ? ImageFormat{28, 28, 1} : ImageFormat{}, lenet ? 10 : 100);
    for (const int batch : listing.batches) {
      const std::vector<Conv2dShape> shapes = convolutions_of(*network, batch);
      for (const std::string& name : listing.precisions) {
        const Precision precision = precision_of(name, Device::cuda);
        for (Conv2dShape shape : shapes) {
          shape.dtype = precision == Precision::bf16 ? DType::bf16 : DType::f32;
          for (const ConvolutionPass pass : convolution_passes) lines.push_back({net, {shape, pass, precision}, {}});
        }
      }
    }
  }
  return lines;
}

using Choices = std::map<ConvolutionProblem, PlanChoice>;

void say_on_the_side(const std::string& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
}

/// What this machine has decided on, and decides on now if it is to.
Choices decided_here(const PlanListing& listing, const std::vector<Line>& lines) {
  std::vector<PlanChoice> choices;
  if (listing.tune) {
    RunOptions options;
    options.fast = listing.fast;
    RunPlans plans(Device::cuda, options, {}, say_on_the_side);
    plans.measure([&] {
      for (const Line& line : lines) {
        cuda::conv2d_workspace(line.problem.shape, line.problem.pass, line.problem.precision);
      }
    });
    choices = cuda::plans_in_use().choices;
  } else {
    choices = PlanCache(cuda::device_info()).read(say_on_the_side).choices(plan_rules_of(listing.fast));
  }
  Choices all;
  for (const PlanChoice& choice : choices) all[choice.problem] = choice;
  return all;
}

void fill(Line& line, const Choices& choices, const PlanRules& rules, const std::string& device) {
  if (const auto choice = choices.find(line.problem); choice != choices.end()) {
    try {
      line.plan = cuda::plan_convolution(line.problem, rules, device, choice->second.plan);
      line.seconds = choice->second.seconds;
      line.favourite_seconds = choice->second.favourite_seconds;
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::device) throw;  // a run would decide anew as well
    }
  }
  line.plan = cuda::plan_convolution(line.problem, rules, device);
}

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

void print(const Line& line) {
  const Conv2dShape& s = line.problem.shape;
  const std::string input = text(s.height, "x", s.width, "x", s.in_channels, " to ", s.out_channels);
  std::printf("%-12s %4d  %-4s  %dx%d/%d %-18s %-15s engine %3lld of %2d/%2d  %9.2f MiB  %s", line.net.c_str(), s.batch,
              name_of(line.problem.precision), s.kernel_h, s.kernel_w, s.stride, input.c_str(),
              name_of(line.problem.pass), static_cast<long long>(line.plan.engine), line.plan.allowed,
              line.plan.candidates, mebibytes(line.plan.workspace_bytes), line.plan.notes.c_str());
  if (line.seconds > 0) {
    std::printf("%s%.1f us, heuristics' %.1f us", line.plan.notes.empty() ? "" : ", ", 1e6 * line.seconds,
                1e6 * line.favourite_seconds);
  }
  std::printf("\n");
}

nlohmann::ordered_json to_json(const Line& line) {
  const Conv2dShape& s = line.problem.shape;
  return {{"net", line.net},
          {"batch", s.batch},
          {"precision", name_of(line.problem.precision)},
          {"pass", name_of(line.problem.pass)},
          {"input", {s.height, s.width, s.in_channels}},
          {"out_channels", s.out_channels},
          {"kernel", {s.kernel_h, s.kernel_w}},
          {"stride", s.stride},
          {"plan", line.plan.plan},
          {"engine", line.plan.engine},
          {"notes", line.plan.notes},
          {"candidates", line.plan.candidates},
          {"allowed", line.plan.allowed},
          {"workspace_bytes", line.plan.workspace_bytes},
          {"seconds", line.seconds},
          {"favourite_seconds", line.favourite_seconds}};
}

/// Of a network at one batch and precision.
bool belong_together(const Line& a, const Line& b) {
  return a.net == b.net && a.problem.shape.batch == b.problem.shape.batch && a.problem.precision == b.problem.precision;
}

}  // namespace

void print_plans(const PlanListing& listing, bool json) {
  const std::string device = description(listing.device_file);
  RETORT_CHECK(device.empty() || !listing.tune, "--tune needs the device itself, not its description");
  std::vector<Line> lines = lines_of(listing);
  const Choices choices = device.empty() ? decided_here(listing, lines) : Choices{};
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::size_t largest = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    Line& line = lines[i];
    fill(line, choices, plan_rules_of(listing.fast), device);
    if (json) {
      list.push_back(to_json(line));
      continue;
    }
    print(line);
    largest = std::max(largest, line.plan.workspace_bytes);
    if (i + 1 < lines.size() && belong_together(line, lines[i + 1])) continue;
    std::printf("%-12s %4d  %-4s  largest workspace %.2f MiB\n", line.net.c_str(), line.problem.shape.batch,
                name_of(line.problem.precision), mebibytes(largest));
    largest = 0;
  }
  if (json) std::printf("%s\n", list.dump().c_str());
}

}  // namespace retort
