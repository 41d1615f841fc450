// `retort info --plans`: what computes every convolution of a network on a GPU.
#pragma once

#include <string>
#include <vector>

namespace retort {

struct PlanListing {
  std::vector<std::string> nets;  ///< empty: all
  std::vector<int> batches = {64};
  std::vector<std::string> precisions = {"fp32", "tf32", "bf16"};
  std::string device_file;  ///< a description in cuDNN's JSON; empty: the device in use
  std::string fast = "off";
  bool tune = false;  ///< times what the machine's cache does not have, and adds it
};

/// To standard output. A line a convolution and pass, and for each network the largest workspace; or a JSON list of
/// {net, batch, precision, pass, input, out_channels, kernel, stride, plan, engine, notes, candidates, allowed,
/// workspace_bytes, seconds, favourite_seconds}. On the device in use, the machine's cache decides, as in a run. Throws
/// Error(device) where a plan cannot be had, Error(input) for an unreadable description.
void print_plans(const PlanListing& listing, bool json);

}  // namespace retort
