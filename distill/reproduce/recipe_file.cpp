// Recipes as TOML.
#include "distill/reproduce/arm_shelf.h"
// toml++ comes first.
#include <algorithm>
#include <filesystem>

#include "distill/dataset_recipe.h"

namespace retort {
namespace {

const char* const known_keys =
    "summary, data, seeds, share-teachers, arms, published-from, options, teacher, student, pair, arm, tune, quick";

NetworkPair read_pair(const TomlReader& reader, const toml::table& table) {
  NetworkPair pair;
  pair.where = reader.where(table);
  for (const auto& [key_node, node] : table) {
    const std::string_view key = key_node.str();
    if (key == "teacher") {
      pair.teacher = reader.string(node, key);
    } else if (key == "student") {
      pair.student = reader.string(node, key);
    } else if (key == "published") {
      for (const auto& [arm, accuracy] : reader.table(node, key))
        pair.published[std::string(arm.str())] = reader.number(accuracy, arm.str());
    } else {
      reader.unknown(node, key, "teacher, student, published");
    }
  }
  RETORT_CHECK_AS(ErrorKind::input, !pair.teacher.empty() && !pair.student.empty(), reader.where(table),
                  ": a pair needs 'teacher' and 'student'");
  return pair;
}

void read_tuning(const TomlReader& reader, const toml::table& table, Recipe& recipe) {
  for (const auto& [key_node, node] : table) {
    const std::string_view key = key_node.str();
    if (key == "rates") {
      recipe.rates = reader.numbers(node, key);
    } else if (key == "held-out") {
      recipe.held_out = reader.count(node, key, 1, 1 << 30);
    } else if (key == "always") {
      recipe.always_tunes = reader.flag(node, key);
    } else {
      reader.unknown(node, key, "rates, held-out, always");
    }
  }
}

/// What is read before the arms can be made.
struct Draft {
  Recipe recipe;
  ArmShelf shelf;
  std::vector<std::string> arms;
  std::string arms_where;
};

/// Lays the keys of a table over the draft: the file itself, then its [quick].
void read_table(const TomlReader& reader, const toml::table& table, Draft& draft) {
  Recipe& recipe = draft.recipe;
  for (const auto& [key_node, node] : table) {
    const std::string_view key = key_node.str();
    if (key == "quick") continue;  // is laid over the rest, or not
    if (key == "summary") {
      recipe.summary = reader.string(node, key);
    } else if (key == "data") {
      recipe.data = reader.string(node, key);
    } else if (key == "seeds") {
      recipe.seeds = reader.count(node, key, 1, 1000);
    } else if (key == "share-teachers") {
      recipe.shares_teachers = reader.flag(node, key);
    } else if (key == "published-from") {
      recipe.published_from = reader.string(node, key);
    } else if (key == "arms") {
      draft.arms = reader.strings(node, key);
      draft.arms_where = reader.where(node);
    } else if (key == "arm") {
      draft.shelf.add(reader, reader.table(node, key));
    } else if (key == "options") {
      read_options(reader, reader.table(node, key), recipe.options);
    } else if (key == "teacher") {
      read_options(reader, reader.table(node, key), recipe.teacher_options);
    } else if (key == "student") {
      read_options(reader, reader.table(node, key), recipe.student_options);
    } else if (key == "tune") {
      read_tuning(reader, reader.table(node, key), recipe);
    } else if (key == "pair") {
      recipe.pairs.clear();
      for (const toml::node& item : reader.list(node, key))
        recipe.pairs.push_back(read_pair(reader, reader.table(item, key)));
    } else {
      reader.unknown(node, key, known_keys);
    }
  }
}

/// What an arm is compared with need not be run this time, but it has to be a row.
void check_comparisons(const Draft& draft) {
  for (const Arm& arm : draft.recipe.arms) {
    if (!arm.against.empty()) draft.shelf.make(arm.against, draft.arms_where + ": 'against' of '" + arm.id + "'");
  }
}

/// Each arm after those it needs.
void check_order(const Recipe& recipe, const std::string& where) {
  std::vector<std::string> before;
  const auto is_before = [&](const std::string& id) {
    return std::find(before.begin(), before.end(), id) != before.end();
  };
  for (const Arm& arm : recipe.arms) {
    RETORT_CHECK_AS(ErrorKind::input, !is_before(arm.id), where, ": '", arm.id, "' is there twice");
    RETORT_CHECK_AS(ErrorKind::input, arm.seconds_of.empty() || !arm.like.empty(), where, ": '", arm.id,
                    "' has 'seconds-of' and so needs 'like', the method whose schedule is shortened");
    for (const std::string& other : arm.needs()) {
      RETORT_CHECK_AS(ErrorKind::input, is_before(other), where, ": '", arm.id, "' needs '", other,
                      "' before it in 'arms'");
    }
    before.push_back(arm.id);
  }
}

void check(const Recipe& recipe, const std::string& file) {
  try {
    dataset_recipe(recipe.data);
  } catch (const Error& error) {
    fail(ErrorKind::input, text(file, ": 'data': ", printable(error.what())));
  }
  RETORT_CHECK_AS(ErrorKind::input, !recipe.pairs.empty(), file, ": there is no [[pair]] of networks");
  RETORT_CHECK_AS(ErrorKind::input, !recipe.arms.empty(), file, ": 'arms' is missing: the methods to compare");
  RETORT_CHECK_AS(ErrorKind::input, !recipe.always_tunes || !recipe.rates.empty(), file, ": [tune] has no 'rates'");
  for (const double rate : recipe.rates)
    RETORT_CHECK_AS(ErrorKind::input, rate > 0, file, ": [tune] rate ", rate, " is not positive");
}

}  // namespace

Recipe parse_recipe(const std::string& content, const std::string& file, bool quick) {
  const TomlReader reader(file);
  const toml::table table = reader.parse(content);
  Draft draft;
  draft.recipe.name = std::filesystem::path(file).stem().string();
  read_table(reader, table, draft);
  const toml::node* shorter = table.get("quick");
  draft.recipe.has_quick = shorter != nullptr;
  if (shorter != nullptr && quick) read_table(reader, reader.table(*shorter, "quick"), draft);
  for (const std::string& id : draft.arms) draft.recipe.arms.push_back(draft.shelf.make(id, draft.arms_where));
  check(draft.recipe, file);
  check_order(draft.recipe, draft.arms_where);
  check_comparisons(draft);
  return draft.recipe;
}

}  // namespace retort
