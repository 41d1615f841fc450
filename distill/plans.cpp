#include "distill/plans.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "data/file.h"
#include "distill/run_setup.h"
#include "kernels/convolution_plan.h"
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
  std::string net, precision;
  Conv2dShape shape;
  ConvolutionPass pass;
  ConvolutionPlanReport plan;
};

void print(const Line& line) {
  const Conv2dShape& s = line.shape;
  const std::string input = text(s.height, "x", s.width, "x", s.in_channels, " to ", s.out_channels);
  std::printf("%-12s %4d  %-4s  %dx%d/%d %-18s %-15s engine %3lld of %2d/%2d  %9.2f MiB  %s\n", line.net.c_str(),
              s.batch, line.precision.c_str(), s.kernel_h, s.kernel_w, s.stride, input.c_str(), name_of(line.pass),
              static_cast<long long>(line.plan.engine), line.plan.allowed, line.plan.candidates,
              static_cast<double>(line.plan.workspace_bytes) / (1 << 20), line.plan.notes.c_str());
}

nlohmann::ordered_json to_json(const Line& line) {
  const Conv2dShape& s = line.shape;
  return {{"net", line.net},
          {"batch", s.batch},
          {"precision", line.precision},
          {"pass", name_of(line.pass)},
          {"input", {s.height, s.width, s.in_channels}},
          {"out_channels", s.out_channels},
          {"kernel", {s.kernel_h, s.kernel_w}},
          {"stride", s.stride},
          {"engine", line.plan.engine},
          {"notes", line.plan.notes},
          {"candidates", line.plan.candidates},
          {"allowed", line.plan.allowed},
          {"workspace_bytes", line.plan.workspace_bytes}};
}

}  // namespace

void print_plans(const PlanListing& listing, bool json) {
  const std::string device = description(listing.device_file);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const std::string& net : listing.nets.empty() ? network_names() : listing.nets) {
    const bool lenet = net.rfind("lenet", 0) == 0;
    const auto network = make_network(net, lenet ? ImageFormat{28, 28, 1} : ImageFormat{}, lenet ? 10 : 100);
    for (const int batch : listing.batches) {
      const std::vector<Conv2dShape> shapes = convolutions_of(*network, batch);
      for (const std::string& precision : listing.precisions) {
        std::size_t largest = 0;
        for (Conv2dShape shape : shapes) {
          const Precision mode = precision_of(precision, Device::cuda);
          shape.dtype = mode == Precision::bf16 ? DType::bf16 : DType::f32;
          for (const ConvolutionPass pass : convolution_passes) {
            const Line line{net, precision, shape, pass, cuda::plan_convolution(shape, pass, mode, device)};
            largest = std::max(largest, line.plan.workspace_bytes);
            if (json) {
              list.push_back(to_json(line));
            } else {
              print(line);
            }
          }
        }
        if (!json) {
          std::printf("%-12s %4d  %-4s  largest workspace %.2f MiB\n", net.c_str(), batch, precision.c_str(),
                      static_cast<double>(largest) / (1 << 20));
        }
      }
    }
  }
  if (json) std::printf("%s\n", list.dump().c_str());
}

}  // namespace retort
