#include "distill/reproduce/arm_shelf.h"

#include <set>

#include "distill/embedded_file.h"
#include "distill/toml_text.h"

namespace retort {
namespace {

bool usable_as_folder(const std::string& id) {
  const auto usable = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  for (const char c : id) {
    if (!usable(c)) return false;
  }
  return !id.empty() && id[0] != '.';
}

bool is_option(std::string_view key) {
  bool known = false;
  visit_option_members([&](const char* name, auto, const char*) { known = known || key == name; });
  return known;
}

void read_option(const TomlReader& reader, const toml::node& node, std::string_view key, OptionValues& values) {
  static const std::set<std::string, std::less<>> decided = {
      "seed", "net", "teacher", "data", "device", "threads", "teacher-net", "max-steps", "val-split"};
  if (decided.count(key) > 0)
    fail(ErrorKind::input, text(reader.where(node), ": '", printable(std::string(key)), "' is not a recipe's to say"));
  if (!is_option(key)) {
    fail(ErrorKind::input, text(reader.where(node), ": unknown option '", printable(std::string(key)),
                                "' (retort distill --help lists them)"));
  }
  const std::string written = toml_text(node);
  if (written.empty()) reader.bad(node, key, "a value");
  RunOptions any;
  set_options(any, {{std::string(key), written}}, reader.where(node));
  values[std::string(key)] = written;
}

/// Lays the keys of an arm's table over it.
void read_arm(const TomlReader& reader, const toml::table& table, Arm& arm) {
  const std::map<std::string_view, std::string*> words = {
      {"label", &arm.label},         {"like", &arm.like},         {"taught-by", &arm.taught_by},
      {"subset-of", &arm.subset_of}, {"share-of", &arm.share_of}, {"seconds-of", &arm.seconds_of},
      {"against", &arm.against}};
  for (const auto& [key_node, node] : table) {
    const std::string_view key = key_node.str();
    if (const auto word = words.find(key); word != words.end()) {
      *word->second = reader.string(node, key);
    } else if (key == "trains") {
      const std::string which = reader.string(node, key);
      if (which != "teacher" && which != "student") reader.bad(node, key, "\"teacher\" or \"student\"");
      arm.trains_teacher = which == "teacher";
    } else {
      read_option(reader, node, key, arm.options);
    }
  }
}

}  // namespace

std::vector<std::string> Arm::needs() const {
  std::vector<std::string> others;
  for (const std::string& id : {taught_by, subset_of, share_of, seconds_of}) {
    if (!id.empty()) others.push_back(id);
  }
  if (!seconds_of.empty()) others.push_back(like);
  return others;
}

void read_options(const TomlReader& reader, const toml::table& table, OptionValues& values) {
  for (const auto& [key, node] : table) read_option(reader, node, key.str(), values);
}

ArmShelf::ArmShelf() {
  const TomlReader reader("arms.toml");
  ready_made_ = reader.parse(std::string(recipe_files().at("arms.toml").text));
  add(reader, ready_made_);
}

void ArmShelf::add(const TomlReader& reader, const toml::table& tables) {
  for (const auto& [key, node] : tables) {
    const std::string id(key.str());
    RETORT_CHECK_AS(ErrorKind::input, usable_as_folder(id), reader.where(node), ": '", printable(id),
                    "' cannot name a method: letters, digits, '-', '_' and '.' only");
    const toml::table& table = reader.table(node, id);
    Source& source = sources_[id];
    source.layers.push_back({reader, &table});
    if (const toml::node* like = table.get("like")) source.like = reader.string(*like, "like");
  }
}

Arm ArmShelf::make(const std::string& id, const std::string& where, int depth) const {
  const auto found = sources_.find(id);
  if (found == sources_.end()) {
    std::string known;
    for (const auto& entry : sources_) known += (known.empty() ? "" : ", ") + entry.first;
    fail(ErrorKind::input, text(where, ": unknown method '", printable(id), "' (known: ", known, ")"));
  }
  RETORT_CHECK_AS(ErrorKind::input, depth <= static_cast<int>(sources_.size()), where, ": method '", printable(id),
                  "' is like itself, in a circle");
  Arm arm;
  if (!found->second.like.empty()) arm = make(found->second.like, where, depth + 1);
  arm.id = arm.label = id;
  for (const Layer& layer : found->second.layers) read_arm(layer.reader, *layer.table, arm);
  return arm;
}

}  // namespace retort
