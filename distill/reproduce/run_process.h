// A training run in a process of its own: what ends it does not end the reproduction that it belongs to.
#pragma once

#include <string>
#include <vector>

#include "distill/options.h"
#include "distill/run_folder.h"
#include "distill/trainer.h"

namespace retort {

/// How a process ended.
struct ProcessEnd {
  std::string problem;         ///< one line: "out of memory", "ended by signal 9 (Killed)"; empty: well
  bool cannot_write = false;   ///< the disk is full, or somebody else is at work in the folder
};

/// Runs `program`, a retort (empty: this program), with these words. Its lines go to `say`, its progress bar to the
/// terminal. A signal that asks this process to stop is passed on. Throws Error(output) if no process can be started.
ProcessEnd run_program(const std::vector<std::string>& words, const std::string& program, const LineSink& say);

/// How a run ended.
struct RunOutcome {
  RunResult result;            ///< finished == false: see `problem`
  std::string problem;         ///< one line: "out of memory", "ended by signal 9 (Killed)"; empty: finished, or asked to stop
  bool cannot_write = false;   ///< the disk is full, or somebody else is at work in the folder
};

/// Begins or continues the run in options.out (options resolved), as run_program does. Asked to stop, `problem` is empty
/// and the result not finished.
RunOutcome run_in_process(const RunOptions& options, const std::string& program, const LineSink& say);

}  // namespace retort
