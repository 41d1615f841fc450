// From options to objects: data, networks, step plan. Shared by training, evaluation and prediction.
#pragma once

#include <memory>

#include "data/dataset.h"
#include "distill/options.h"
#include "distill/significance.h"
#include "distill/step.h"
#include "engine/schedule.h"

namespace retort {

/// auto (CUDA where there is a GPU), cpu or cuda. Throws Error(device) for cuda where it was not built or has no GPU.
Device device_of(const std::string& name);
Precision precision_of(const std::string& name, Device device);
/// Sets the backend's threads (0: all cores) and returns their number.
int use_threads(int threads);

Dataset dataset_of(const RunOptions& options);
/// What a network on it is given.
ImageFormat input_of(const Dataset& dataset);
Augmentation augmentation_of(const RunOptions& options, const Dataset& dataset);
Schedule schedule_of(const RunOptions& options);
LossOptions loss_of(const RunOptions& options);
OptimizerOptions optimizer_of(const RunOptions& options);
/// All of a step that the options decide: what it trains, from whom and on what is left open.
StepPlan step_plan_of(const RunOptions& options, const Dataset& dataset);
/// --encoders, or those in the teacher's run folder. Throws Error(usage) where there can be none.
std::string encoders_path(const RunOptions& options);
/// Published row numbers of the training samples in use.
std::vector<std::int32_t> source_rows(const ImageSplit& split);
/// Of a regression's samples 0.
std::vector<std::int32_t> labels_of(const ImageSplit& split);
/// tau of an epoch: fixed, or linear from --confidence to --confidence-end.
double threshold_of(const RunOptions& options, int epoch);

}  // namespace retort
