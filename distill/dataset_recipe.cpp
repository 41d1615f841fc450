#include "distill/dataset_recipe.h"

#include "kernels/error.h"

namespace retort {

DatasetRecipe dataset_recipe(const std::string& data) {
  const std::string name = data.substr(0, data.find(':'));
  DatasetRecipe r;
  if (name == "mnist" || name == "fashion-mnist") {
    // papers.md, section 1: one-cycle 0.05, batch 128; KD is stable only with clipping and at a lower peak.
    r.teacher = "lenet5";
    r.student = "lenet5-half";
    r.epochs = 10;
    r.lr = 0.05;
    r.student_lr = 0.02;
    return r;
  }
  if (name == "cifar10") {
    r.teacher = "resnet18";
    r.student = "resnet20";
    r.epochs = 30;
    r.lr = r.student_lr = 0.2;
    r.nesterov = 1;
    r.augments = true;
    return r;
  }
  if (name == "cifar100") {
    // The published protocol (papers.md, section 5); clipping would change it.
    r.teacher = "wrn-40-2";
    r.student = "wrn-16-2";
    r.epochs = 240;
    r.batch = 64;
    r.lr = r.student_lr = 0.05;
    r.clip_norm = 0;
    r.schedule = "multi-step";
    r.milestone_shares = {150.0 / 240, 180.0 / 240, 210.0 / 240};
    r.augments = true;
    return r;
  }
  if (name == "folder") {
    r.teacher = "resnet20";
    r.student = "resnet8";
    r.augments = true;
    return r;
  }
  if (name == "synthetic") {
    r.teacher = "resnet20";
    r.student = "resnet8";
    r.epochs = 8;
    r.batch = 32;
    r.nesterov = 1;
    r.augments = true;
    return r;
  }
  if (name == "gaze-synthetic" || name == "mpiigaze") {
    // The gradient of a Gaussian grows as its deviation falls, from a radian to a few degrees: not for plain SGD.
    r.teacher = "resnet-preact-8";
    r.student = "lenet-gaze";
    r.epochs = 15;
    r.batch = 64;
    r.optimizer = "adamw";
    r.lr = r.student_lr = 0.002;
    return r;
  }
  fail(ErrorKind::usage, "unknown data set '" + name +
                             "' (known: mnist, fashion-mnist, cifar10, cifar100, folder, mpiigaze, synthetic, gaze-synthetic; give it as NAME:PATH)");
}

}  // namespace retort
