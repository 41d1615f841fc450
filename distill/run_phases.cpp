// TST inside a run: its augmentation module, and the epochs in which that learns while the student waits.
#include <algorithm>
#include <cmath>

#include "distill/interrupt.h"
#include "distill/run.h"
#include "distill/tst/phase_log.h"

namespace retort {
namespace {

/// Draws of the module's epochs have numbers that no epoch of the student has.
std::uint32_t epoch_key(int phase, int epoch) {
  return 0x80000000U + (static_cast<std::uint32_t>(phase) << 16) + static_cast<std::uint32_t>(epoch);
}

/// What a phase did is told by the same draws at its beginning and at its end: so many batches, for each has four
/// operations only, by the numbers of epochs that no phase reaches.
constexpr int kBatchesCompared = 32, kFirstCompared = 0xFF00;

}  // namespace

void Run::prepare_transforms() {
  RETORT_CHECK(data_.classes > 0, "--method ", options_.method, " needs a data set with classes");
  transforms_ = std::make_unique<LearnedTransforms>(
      context_, read_encoders(context_, encoders_path(options_), data_.channels), options_.tst_module == "random");
  plan_.transforms = transforms_.get();
  plan_.record = false;  // each step has other operations
  PhasePlan phase;
  phase.teacher = &teacher_->network();
  phase.student = network_.get();
  phase.transforms = transforms_.get();
  phase.data = &train_;
  phase.augmentation = plan_.augmentation;
  phase.batch = plan_.batch;
  phase.seed = options_.seed;
  phase.terms = {options_.tst_terms != "student", options_.tst_terms != "teacher"};
  phase_ = std::make_unique<LearningPhase>(context_, phase, samples_in_use());
}

void Run::record_phase(PhaseRecord record, int phase, int epoch) {
  record.phase = phase;
  record.epoch = epoch;
  if (!record.compares) {  // as evaluations, comparisons do not count
    Ledger& ledger = state_.ledger;
    for (std::int64_t* count : {&ledger.student_forward, &ledger.teacher_forward, &ledger.mixtures}) *count += record.rows;
    if (options_.tst_terms != "teacher") ledger.student_backward += record.rows;
    if (options_.tst_terms != "student") ledger.teacher_backward += record.rows;
    ledger.flops += 2 * context_.macs();
  }
  context_.clear_macs();
  append_phase(folder_.file("phases.jsonl"), record);
  say_(text("module, phase ", phase, record.compares ? ", compared after epoch " : ", epoch ", epoch, "/",
            static_cast<int>(options_.tst_length), "  teacher's loss ", record.teacher_loss, "  student's loss ",
            record.student_loss));
}

/// Those that are due before the epoch that begins. False where somebody asked to stop: a phase is then begun anew by
/// the run that goes on, from the checkpoint before it.
bool Run::run_phases() {
  const auto order = [&](std::uint32_t key) {
    return epoch_order(data_.train.count(), subset_, options_.seed, key, true);
  };
  const int batches = (samples_in_use() + plan_.batch - 1) / plan_.batch;
  for (auto phase = static_cast<std::size_t>(state_.phases); phase < options_.tst_phases.size(); ++phase) {
    if (options_.tst_phases[phase] > state_.epoch) return true;
    const int number = static_cast<int>(phase) + 1, epochs = static_cast<int>(options_.tst_length);
    std::vector<std::uint32_t> compared;
    for (int i = 0; i * batches < kBatchesCompared; ++i) compared.push_back(epoch_key(number, kFirstCompared + i));
    const auto look = [&] { return phase_->look(order(compared.front()), compared); };
    if (saved_at_ != state_.batches) save();
    record_phase(look(), number, 0);
    for (int epoch = 1; epoch <= epochs; ++epoch) {
      const std::uint32_t key = epoch_key(number, epoch);
      record_phase(phase_->epoch(order(key), key), number, epoch);
      if (epoch < epochs && interrupted()) {
        writing_.wait();
        say_(text("stopped; continue with --resume --out ", folder_.path()));
        return false;
      }
    }
    record_phase(look(), number, epochs);
    state_.phases = number;
  }
  return true;
}

}  // namespace retort
