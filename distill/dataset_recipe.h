// How each data set is trained when nothing else is said.
#pragma once

#include <string>
#include <vector>

namespace retort {

struct DatasetRecipe {
  std::string teacher, student;  ///< networks
  double epochs = 30;
  int batch = 128;
  std::string optimizer = "sgd";
  double lr = 0.1;          ///< of a teacher
  double student_lr = 0.1;  ///< of a student under distillation
  int nesterov = 0;
  double weight_decay = 5e-4;
  double clip_norm = 5;
  std::string schedule = "one-cycle";
  std::vector<double> milestone_shares;  ///< multi-step: shares of the epochs
  bool augments = false;                 ///< the data set's default augmentation is not empty
};

/// By the NAME of "NAME:PATH". Throws Error(usage) for an unknown one.
DatasetRecipe dataset_recipe(const std::string& data);

}  // namespace retort
