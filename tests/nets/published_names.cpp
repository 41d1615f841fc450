// Names of the networks elsewhere, both ways, against lists of what is published.
#include "nets/published_names.h"

#include <fstream>
#include <set>

#include "tests/engine/expect_error.h"
#include "tests/nets/support.h"

using namespace retort;
using namespace retort::test;

namespace {

std::vector<std::string> own_names(const Network& network) {
  std::vector<std::string> names;
  for (const ParameterSpec& spec : network.parameters().specs()) names.push_back(spec.name);
  for (const BufferSpec& spec : network.parameters().buffer_specs()) names.push_back(spec.name);
  return names;
}

/// net -> "name [shape]" of every tensor, from tests/golden/state_dicts.txt.
std::map<std::string, std::set<std::string>> published_lists() {
  std::map<std::string, std::set<std::string>> lists;
  std::ifstream in(std::string(RETORT_TEST_DIR) + "/golden/state_dicts.txt");
  std::string net;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) continue;
    if (line.starts_with("net ")) {
      net = line.substr(4);
    } else {
      lists[net].insert(line);
    }
  }
  return lists;
}

}  // namespace

TEST_CASE("published names: the lists of RepDistiller's state dicts, name by name and shape by shape") {
  const auto lists = published_lists();
  REQUIRE(lists.size() == 4);
  for (const auto& [net, expected] : lists) {
    CAPTURE(net);
    for (const char* set : {"repdistiller", "mdistiller"}) {
      std::set<std::string> found;
      for (const std::string& key : keys_with_shapes(*make_network(net, colour32, 100))) {
        const std::size_t space = key.find(' ');
        const std::string name = published_name(net, key.substr(0, space), set);
        if (!name.ends_with("num_batches_tracked")) found.insert(name + key.substr(space));
      }
      CHECK(found == expected);
    }
  }
}

TEST_CASE("published names: every set of every network leads back to the network's own names") {
  for (const std::string& net : network_names()) {
    CAPTURE(net);
    const auto network = make_network(net, net.starts_with("lenet") ? grey28 : colour32, 10);
    const std::vector<std::string> sets = name_sets(net);
    REQUIRE(sets.front() == "retort");
    for (const std::string& set : sets) {
      std::set<std::string> published;
      for (const std::string& own : own_names(*network)) {
        const std::string name = published_name(net, own, set);
        if (set == "retort") CHECK(name == own);
        CHECK(own_name(net, name) == own);
        for (const char* prefix : {"module.", "_orig_mod.", "model.", "module.model.", "_orig_mod.module."}) {
          CHECK(own_name(net, prefix + name) == own);
        }
        published.insert(name);
      }
      CHECK(published.size() == own_names(*network).size());
    }
  }
}

TEST_CASE("published names: resnet18's two spellings") {
  CHECK(name_sets("resnet18") == std::vector<std::string>{"retort", "repdistiller", "mdistiller", "torchvision"});
  CHECK(published_name("resnet18", "layer2.0.downsample.1.running_var", "repdistiller") ==
        "layer2.0.shortcut.1.running_var");
  CHECK(published_name("resnet18", "fc.bias", "mdistiller") == "linear.bias");
  CHECK(published_name("resnet18", "fc.bias", "torchvision") == "fc.bias");
  CHECK(published_name("resnet8x4", "layer2.0.downsample.1.weight", "repdistiller") == "layer2.0.downsample.1.weight");
}

TEST_CASE("published names: heads") {
  for (const char* head : {"fc", "linear", "classifier"}) {
    CHECK(own_name("resnet56", std::string(head) + ".weight") == "fc.weight");
    CHECK(own_name("wrn-28-10", std::string(head) + ".bias") == "fc.bias");
    CHECK(own_name("vgg13", std::string(head) + ".bias") == "classifier.bias");
  }
  CHECK(own_name("lenet5", "fc1.weight") == "fc1.weight");
  CHECK(own_name("lenet5", "fc.weight") == "fc.weight");  // three layers: nobody knows which
  CHECK(own_name("resnet8", "fc1.weight") == "fc1.weight");
}

TEST_CASE("published names: a set that has no such network") {
  const auto refused = [](const std::string& net, const std::string& set) {
    return message_of(ErrorKind::usage, [&] { published_name(net, "conv1.weight", set); });
  };
  check_contains(refused("wrn-16-2", "torchvision"), "wrn-16-2 has names of retort, repdistiller, mdistiller");
  check_contains(refused("lenet5", "repdistiller"), "lenet5 has names of retort");
  check_contains(refused("resnet18", "timm"), "--names timm");
}

TEST_CASE("published names: nothing that a file could be called does harm") {
  for (const std::string& name :
       {std::string(), std::string("module."), std::string("model.module.model."), std::string("."), std::string("fc."),
        std::string(".shortcut."), std::string("shortcut."), std::string(1 << 20, '.')}) {
    for (const char* net : {"resnet8", "wrn-16-2", "vgg8", "lenet5"})
      CHECK(own_name(net, name).size() <= name.size() + 16);
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "module.";
  CHECK(own_name("resnet8", deep + "fc.weight") == "fc.weight");
}
