// Streams and recordings of the emulated device. A recording is a list of launches and what each has to wait for. A
// replay runs them in one of the orders that this allows, each time another, so that a join that is missing shows.
#pragma once

#include "tests/simt/submit.h"

namespace simt {

/// Throws Error(device) where CUDA would: `what` cannot be done while a stream is recorded.
void not_while_recording(const char* what);
/// The same for functions that may not throw: the recording cannot be ended.
void spoil_recording(const char* what);

}  // namespace simt
