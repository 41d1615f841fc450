// retort info
#include <omp.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/dataset.h"
#include "distill/commands.h"
#include "distill/methods/method.h"
#include "distill/plans.h"
#include "distill/version.h"
#include "kernels/convolution_plan.h"
#include "kernels/cpu/threads.h"
#include "kernels/device_info.h"
#include "kernels/error.h"
#include "nets/network.h"

namespace retort {
namespace {

/// The GPU, or why there is none.
std::string cuda_status() {
  try {
    const DeviceInfo gpu = cuda::device_info();
    return text(gpu.name, ", compute capability ", gpu.capability, ", ", gpu.multiprocessors, " multiprocessors, ",
                gpu.memory_bytes >> 30, " GiB, driver ", gpu.driver, ", CUDA ", gpu.runtime, ", cuDNN ", gpu.cudnn);
  } catch (const Error& error) {
    const std::string reason = error.what();
    return reason.substr(0, reason.find(" ("));  // without the function's name
  }
}

void print_nets(int classes, ImageFormat input, bool json) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const std::string& name : network_names()) {
    // LeNet's published counts are for MNIST.
    const bool lenet = name.rfind("lenet", 0) == 0;
    const auto network = lenet ? make_network(name, {28, 28, 1}, 10) : make_network(name, input, classes);
    const long count = static_cast<long>(network->parameters().trainable_count());
    const ImageFormat in = network->input();
    if (json) {
      list.push_back({{"name", name},
                      {"parameters", count},
                      {"classes", network->classes()},
                      {"input", {in.height, in.width, in.channels}}});
    } else {
      std::printf("%-14s %12ld  %3d classes, %dx%dx%d\n", name.c_str(), count, network->classes(), in.height, in.width,
                  in.channels);
    }
  }
  if (json) std::printf("%s\n", list.dump().c_str());
}

void print_methods(bool json) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Method& m : methods()) {
    list.push_back(
        {{"name", m.name}, {"summary", m.summary}, {"weighs", m.weighs_by_significance}, {"regulates", m.regulates}});
    if (!json) std::printf("%-22s %s\n", m.name.c_str(), m.summary.c_str());
  }
  if (json) std::printf("%s\n", list.dump().c_str());
}

}  // namespace

void add_info_command(CLI::App& app) {
  struct Arguments {
    bool nets = false, methods = false, json = false, plans = false, describe = false;
    int classes = 100;
    PlanListing listing;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* info = app.add_subcommand("info", "Version, devices, libraries, networks, distillation methods");
  info->add_flag("--nets", a->nets, "networks with their trainable parameters");
  info->add_flag("--methods", a->methods, "what --method of distill may be");
  info->add_option("--classes", a->classes, "classes the networks are counted for (LeNets: 10, on 28x28x1)");
  info->add_flag("--plans", a->plans,
                 "cuDNN's plan for each convolution of each network, its workspace, and its time where it was tuned");
  info->add_option("--net", a->listing.nets, "with --plans: these networks only");
  info->add_option("--batch", a->listing.batches, "with --plans: batch sizes")->check(CLI::Range(1, 1 << 20));
  info->add_option("--precision", a->listing.precisions, "with --plans: fp32, tf32, bf16")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16"}));
  info->add_option("--plan-device", a->listing.device_file,
                   "with --plans: a GPU described in cuDNN's JSON, which need not be here (default: the one that is)");
  info->add_option("--fast", a->listing.fast, "with --plans: as for teach")->check(CLI::IsMember({"on", "off"}));
  info->add_flag("--tune", a->listing.tune,
                 "with --plans: times plans, as a run would, and adds them to the machine's cache");
  info->add_flag("--describe-device", a->describe, "the GPU in cuDNN's JSON, for --plan-device");
  info->add_flag(
      "--json", a->json,
      "one JSON object (with --nets: a list of name, parameters, classes, input; with --methods, --plans: a list)");
  info->callback([a] {
    if (a->nets) return print_nets(a->classes, {32, 32, 3}, a->json);
    if (a->methods) return print_methods(a->json);
    if (a->describe) return static_cast<void>(std::printf("%s\n", cuda::describe_device().c_str()));
    if (a->plans) return print_plans(a->listing, a->json);
    const Versions v = versions();
    if (a->json) {
      const nlohmann::ordered_json object = {
          {"version", v.retort},     {"revision", v.revision},       {"compiler", v.compiler},
          {"onednn", v.onednn},      {"cores", omp_get_num_procs()}, {"isa", v.isa},
          {"bf16", cpu::has_bf16()}, {"cuda", cuda_status()},        {"data", dataset_names()}};
      std::printf("%s\n", object.dump().c_str());
      return;
    }
    std::printf("retort %s (%s), %s\n", v.retort.c_str(), v.revision.c_str(), v.compiler.c_str());
    std::printf("cpu    %d cores, oneDNN %s, %s, bf16 %s\n", omp_get_num_procs(), v.onednn.c_str(), v.isa.c_str(),
                cpu::has_bf16() ? "yes" : "no");
    std::printf("cuda   %s\n", cuda_status().c_str());
    std::printf("data  ");
    for (const std::string& name : dataset_names()) std::printf(" %s", name.c_str());
    std::printf("\nnets   retort info --nets\nmethods retort info --methods\n");
  });
}

}  // namespace retort
