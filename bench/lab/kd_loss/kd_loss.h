// The distillation loss of a batch, in numbered versions: each is one idea further than the one before (README.md).
//
//     loss_i = (1 - alpha) CE(label_i, softmax(z)) + alpha T^2 KL(softmax(t / T) || softmax(z / T))
//
// and its gradient with respect to z, for every row. All versions compute the same; they differ in who reads what.
#pragma once

#include "kernels/types.h"

namespace retort::lab {

struct KdLoss {
  int rows = 0, classes = 0;
  float temperature = 4, alpha = 0.9F;
  const float* student = nullptr;        // (rows, classes) z
  const float* teacher = nullptr;        // (rows, classes) t
  const std::int32_t* labels = nullptr;  // (rows)
  float* loss = nullptr;                 // (rows), written
  float* dlogits = nullptr;              // (rows, classes), written
};

/// The least that has to be moved: both logits read, the gradient written, a label and a loss a row.
inline double least_bytes(const KdLoss& problem) {
  return (3.0 * problem.classes + 2.0) * 4.0 * problem.rows;
}

struct KdLossVersion {
  const char* name;
  const char* idea;
  void (*run)(const Launch& launch, const KdLoss& problem);
  int most_classes;      ///< 0: any number
  int classes_multiple;  ///< classes have to be a multiple of this
};

void kd_loss_v1(const Launch& launch, const KdLoss& problem);
void kd_loss_v2(const Launch& launch, const KdLoss& problem);
void kd_loss_v3(const Launch& launch, const KdLoss& problem);
void kd_loss_v4(const Launch& launch, const KdLoss& problem);

constexpr KdLossVersion kd_loss_versions[] = {
    {"v1", "a thread a row", &kd_loss_v1, 0, 1},
    {"v2", "a warp a row", &kd_loss_v2, 0, 1},
    {"v3", "the row in registers", &kd_loss_v3, 128, 1},
    {"v4", "sixteen bytes a lane", &kd_loss_v4, 512, 4},
};

inline bool takes(const KdLossVersion& version, const KdLoss& problem) {
  return (version.most_classes == 0 || problem.classes <= version.most_classes) &&
         problem.classes % version.classes_multiple == 0;
}

}  // namespace retort::lab
