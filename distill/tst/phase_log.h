// phases.jsonl of a run folder: one line for each epoch in which a TST module learned. docs/run-folder.md has its
// fields.
#pragma once

#include <string>
#include <vector>

#include "distill/tst/phase.h"

namespace retort {

void append_phase(const std::string& path, const PhaseRecord& record);
/// Drops the lines of phases after `phases`: they will be run again. No file is as good as an empty one.
void keep_phases(const std::string& path, int phases);
/// Up to the first line that is damaged; of what is not there, nothing.
std::vector<PhaseRecord> read_phases(const std::string& path);

}  // namespace retort
