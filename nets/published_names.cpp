#include "nets/published_names.h"

#include <algorithm>
#include <string_view>

#include "kernels/error.h"
#include "nets/names.h"

namespace retort {
namespace {

struct Family {
  bool residual = false;  ///< resnetD, resnetDx4, resnet18
  std::string head;       ///< the layer that gives the logits; empty: there is no other name for it
};

Family family_of(const std::string& net) {
  if (net.starts_with("resnet")) return {true, "fc"};
  if (net.starts_with("wrn-")) return {false, "fc"};
  if (net.starts_with("vgg")) return {false, "classifier"};
  return {};
}

/// resnet18 comes from a definition of its own (resnetv2.py), in which two layers have other names.
bool is_resnetv2(const std::string& net, const std::string& set) {
  return net == "resnet18" && (set == "repdistiller" || set == "mdistiller");
}

/// Replaces a name's first layer.
void rename_first(std::string& name, const std::string& from, const std::string& to) {
  if (name.starts_with(from + ".")) name.replace(0, from.size(), to);
}

/// Replaces a layer that has others inside it and is itself inside one: ".shortcut.".
void rename_inner(std::string& name, const std::string& from, const std::string& to) {
  const std::size_t at = name.find("." + from + ".");
  if (at != std::string::npos) name.replace(at + 1, from.size(), to);
}

}  // namespace

std::vector<std::string> name_sets(const std::string& net) {
  std::vector<std::string> sets{"retort"};
  if (!net.starts_with("lenet")) sets.insert(sets.end(), {"repdistiller", "mdistiller"});
  if (net == "resnet18") sets.push_back("torchvision");
  return sets;
}

std::string published_name(const std::string& net, const std::string& own, const std::string& set) {
  const std::vector<std::string> sets = name_sets(net);
  RETORT_CHECK(std::find(sets.begin(), sets.end(), set) != sets.end(), "--names ", set, ": ", net, " has names of ",
               joined(sets));
  std::string name = own;
  if (is_resnetv2(net, set)) {
    rename_first(name, "fc", "linear");
    rename_inner(name, "downsample", "shortcut");
  }
  return name;
}

std::string own_name(const std::string& net, const std::string& published) {
  std::size_t begin = 0;
  for (bool wrapped = true; wrapped;) {
    wrapped = false;
    for (const std::string_view prefix : {"module.", "_orig_mod.", "model."}) {
      if (published.compare(begin, prefix.size(), prefix) != 0) continue;
      begin += prefix.size();
      wrapped = true;
    }
  }
  std::string name = published.substr(begin);
  const Family family = family_of(net);
  if (!family.head.empty()) {
    for (const char* head : {"fc", "linear", "classifier"}) rename_first(name, head, family.head);
  }
  if (family.residual) rename_inner(name, "shortcut", "downsample");
  return name;
}

}  // namespace retort
