#include "distill/recipe.h"

#include <filesystem>

#include "kernels/error.h"

namespace retort {
namespace {

Recipe demo() {
  Recipe r;
  r.name = "demo";
  r.summary = "built-in synthetic images, resnet20 -> resnet8, minutes on a laptop";
  r.base.data = "synthetic:train=2000,test=1000";
  r.base.augment = "none";  // the teacher's logits are then computed once, and shared by all epochs
  r.teacher_net = "resnet20";
  r.student_net = "resnet8";
  // The best of 0.1, 0.2, 0.4 for each method on another draw of the set (seed=7). Weights below 1 want a larger rate.
  r.lr = {{Arm::kd, 0.2},        {Arm::significance, 0.4},  {Arm::regulated, 0.2},
          {Arm::hybrid, 0.4},    {Arm::random_subset, 0.2}, {Arm::random_mask, 0.2}};
  r.seeds = 1;
  r.shares_teachers = true;
  r.knows_difficulty = true;
  return r;
}

Recipe mnist(const std::string& data_dir) {
  Recipe r;
  r.name = "mnist";
  r.summary = "MNIST, LeNet-5 -> LeNet-5-half, all methods and controls (needs --data-dir)";
  const std::filesystem::path dir(data_dir), inner = dir / "mnist";
  r.base.data = "mnist:" + (std::filesystem::is_directory(inner) ? inner : dir).string();
  r.teacher_net = "lenet5";
  r.student_net = "lenet5-half";
  r.seeds = 3;
  r.lr_grid = {0.01, 0.02, 0.05, 0.1, 0.2};
  r.published = {{Arm::teacher, 99.34}, {Arm::student, 98.92}, {Arm::kd, 99.25}};
  r.published_source = "the zero-shot distillation paper's tables for these two networks (arXiv:1905.08114)";
  return r;
}

}  // namespace

const std::vector<ArmInfo>& arms() {
  static const std::vector<ArmInfo> all = {
      {Arm::teacher, "teacher", "teacher, conventional", false},
      {Arm::regulated_teacher, "teacher-regulated", "teacher, self-regulated", false},
      {Arm::student, "student", "student alone", false},
      {Arm::kd, "kd", "kd", true},
      {Arm::significance, "significance", "significance", true},
      {Arm::regulated, "regulated", "regulated", true},
      {Arm::hybrid, "hybrid", "hybrid", true},
      {Arm::random_subset, "random-subset", "control: random subset", true},
      {Arm::random_mask, "random-mask", "control: random mask", true},
      {Arm::kd_same_seconds, "kd-same-seconds", "control: kd, same seconds", true},
  };
  return all;
}

const ArmInfo& arm_info(Arm arm) { return arms()[static_cast<std::size_t>(arm)]; }

std::vector<std::pair<std::string, std::string>> recipe_list() {
  std::vector<std::pair<std::string, std::string>> list;
  for (const Recipe& recipe : {demo(), mnist(".")}) list.emplace_back(recipe.name, recipe.summary);
  return list;
}

Recipe make_recipe(const std::string& name, const std::string& data_dir) {
  if (name == "demo") return demo();
  if (name == "mnist") {
    RETORT_CHECK(!data_dir.empty(), "recipe mnist needs --data-dir DIR with MNIST's four files");
    return mnist(data_dir);
  }
  std::string known;
  for (const auto& entry : recipe_list()) known += (known.empty() ? "" : ", ") + entry.first;
  fail(ErrorKind::usage, "unknown recipe '" + name + "' (known: " + known + ")");
}

RunOptions arm_options(const Recipe& recipe, Arm arm, std::uint32_t seed) {
  RunOptions o = recipe.base;
  o.seed = seed;
  const bool distils = arm_info(arm).student;
  o.command = distils ? "distill" : "teach";
  o.net = arm == Arm::teacher || arm == Arm::regulated_teacher ? recipe.teacher_net : recipe.student_net;
  if (arm == Arm::regulated_teacher) o.regulation = "mask";
  if (arm == Arm::significance || arm == Arm::regulated || arm == Arm::hybrid) o.method = arm_info(arm).id;
  if (arm == Arm::random_mask) {
    o.regulation = "mask";
    o.mask = "random";
  }
  const auto lr = recipe.lr.find(arm);
  if (lr != recipe.lr.end()) o.lr = lr->second;
  return o;
}

}  // namespace retort
