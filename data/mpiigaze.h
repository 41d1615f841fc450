// MPIIGaze (Zhang et al., CVPR 2015), normalised eyes: 36x60 grey images with the head's pose, and where the person
// looks. docs/gaze.md says how to make the .npz file from what its authors publish.
#pragma once

#include <string>

#include "data/dataset.h"

namespace retort {

/// "PATH[,person=N]": N of 0 to 14 is left out of training and is the test split; default 0. The file's arrays: image
/// (M, 36, 60) or another size, u1; pose (M, 2) and gaze (M, 2), pitch and yaw in radians, floats; person (M), 0 to 14.
/// The set's mean is 0.5 and its std 0.25, not measured: the same whoever is left out. Throws Error(usage) for a
/// damaged specification and Error(input) for a file that is another, or beyond 1 GiB packed or unpacked.
Dataset load_mpiigaze(const std::string& specification);

}  // namespace retort
