// The ledger: what a run has cost, counted the way papers count and the way a clock does, side by side.
#pragma once

#include <cstdint>

namespace retort {

struct Ledger {
  std::int64_t student_forward = 0;   ///< samples through the student (scoring passes included)
  std::int64_t student_backward = 0;  ///< samples that entered the student's backward pass
  std::int64_t teacher_forward = 0;
  std::int64_t teacher_backward = 0;
  std::int64_t distinct_samples = 0;  ///< training samples that ever entered a backward pass
  std::int64_t mixtures = 0;          ///< of the samples forwarded, those that are mixtures of two
  double flops = 0;                   ///< 2 x multiply-accumulates that were executed, masked rows included
};

/// visit(name, field): the names under which a ledger is written.
template <typename AnyLedger, typename Visitor>
void visit_fields(AnyLedger& l, Visitor&& visit) {
  visit("student_forward", l.student_forward);
  visit("student_backward", l.student_backward);
  visit("teacher_forward", l.teacher_forward);
  visit("teacher_backward", l.teacher_backward);
  visit("distinct_samples", l.distinct_samples);
  visit("mixtures", l.mixtures);
  visit("flops", l.flops);
}

/// Wall-clock seconds; the only part of a run that two identical runs do not share.
struct Timing {
  double data = 0;     ///< making batches
  double compute = 0;  ///< forward, backward, update
  double evaluation = 0;
  double total() const { return data + compute + evaluation; }
};

}  // namespace retort
