// Trainer: one run from its options to its result: a teacher, or a student under one of the distillation methods.
#pragma once

#include <functional>
#include <string>

#include "distill/options.h"
#include "distill/run_folder.h"

namespace retort {

/// Receives one plain line a message ("epoch 3/10 ...").
using LineSink = std::function<void(const std::string&)>;

/// Trains (options resolved, options.out set) and writes the run folder. A folder that holds a checkpoint of the same
/// run continues when `resume` is set; otherwise the folder must not hold another run. Interrupted or stopped by
/// --max-steps, the result has finished = false. Throws Error(diverged) after 10 steps in a row without a finite loss.
RunResult train(const RunOptions& options, bool resume, const LineSink& say);

}  // namespace retort
