// RunState: everything a resume needs, in one place. What is not here is a function of the options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distill/ledger.h"
#include "engine/safetensors.h"
#include "kernels/step_state.h"

namespace retort {

struct RunState {
  int epoch = 0;                     ///< epochs completed
  int batch = 0;                     ///< batches done of the epoch in progress
  std::int64_t batches = 0;          ///< batches done in all; the schedule's clock
  int batches_since_step = 0;        ///< compact: scored batches the next training step stands for
  std::string regulation;            ///< off, mask or compact: what `auto` decided for this epoch
  StepState totals;                  ///< counters and partial metrics of the epoch; compact: of the scoring pass
  StepState training;                ///< compact: counters of the training steps
  std::int64_t skipped = 0;          ///< steps skipped in the whole run
  int phases = 0;                    ///< of a TST module's learning, completed
  double last = 0, best = 0;         ///< metric on the test split after the last and the best epoch
  int best_epoch = 0;
  std::int64_t participants = 0, scored = 0;  ///< over the whole run
  std::vector<std::int64_t> participants_by_class;  // (classes) up to the last whole epoch; empty without regulation
  Ledger ledger;
  std::vector<std::int32_t> significance;  // (training samples)
  std::vector<std::uint8_t> entered;       // (training samples)
  std::vector<std::uint8_t> judged;        // (training samples) participates, by the last judgement
  std::vector<std::int32_t> queue;         // compact: samples waiting
  int threads = 0;
  std::string isa;
};

void add_run_state(TensorFile& file, const RunState& state);
/// Throws Error(input) that names the file when something is missing or malformed.
RunState run_state_of(const TensorFile& file, const std::string& path);

}  // namespace retort
