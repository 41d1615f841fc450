// cuDNN's state in this process, made at the first call.
#pragma once

#include "kernels/cuda/cudnn_plan.h"

namespace retort::cuda {

cudnnHandle_t cudnn_handle();
const PlanDevice& plan_device();

}  // namespace retort::cuda
