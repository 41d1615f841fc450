// State-dict names of the networks in other programs. Retort's own are those of RepDistiller's and mdistiller's
// definitions, but for resnet18, where they are torchvision's.
#pragma once

#include <string>
#include <vector>

namespace retort {

/// Who has a definition of this network: "retort", and with it "repdistiller", "mdistiller", "torchvision".
std::vector<std::string> name_sets(const std::string& net);

/// The name that a parameter or buffer of `net` has in a set of name_sets(net). Throws Error(usage) for another set.
std::string published_name(const std::string& net, const std::string& own, const std::string& set);

/// The other way, whatever set the name is from: wrappers' prefixes (module. of DataParallel, _orig_mod. of
/// torch.compile, model.) are dropped, shortcut.N is downsample.N, and the last layer may be called fc, linear or
/// classifier. A name that belongs to no parameter comes back as some other one that belongs to none.
std::string own_name(const std::string& net, const std::string& published);

}  // namespace retort
