// A training run in a process of its own: what ends it does not end the reproduction that it belongs to.
#pragma once

#include <string>

#include "distill/options.h"
#include "distill/run_folder.h"
#include "distill/trainer.h"

namespace retort {

/// How a run ended.
struct RunOutcome {
  RunResult result;            ///< finished == false: see `problem`
  std::string problem;         ///< one line: "out of memory", "ended by signal 9 (Killed)"; empty: finished, or asked to stop
  bool cannot_write = false;   ///< the disk is full, or somebody else is at work in the folder
};

/// Begins or continues the run in options.out (options resolved) with `program`, a retort; empty: this program. Its
/// lines go to `say`, its progress bar to the terminal. A signal that asks this process to stop is passed on, and then
/// `problem` is empty and the result not finished. Throws Error(output) if no process can be started.
RunOutcome run_in_process(const RunOptions& options, const std::string& program, const LineSink& say);

}  // namespace retort
