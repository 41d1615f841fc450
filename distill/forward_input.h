// A batch as the input of a network, on the tape.
#pragma once

#include "data/device_dataset.h"
#include "nets/network.h"

namespace retort {

inline ForwardInput forward_input(Tape& tape, const Batch& batch, const StepState* state) {
  ForwardInput input{tape.variable(batch.images, false, "images"), batch.samples, state};
  if (batch.auxiliary) input.auxiliary = tape.variable(batch.auxiliary, false, "auxiliary");
  return input;
}

}  // namespace retort
