// The methods of this folder; CMake writes what makes them.
#pragma once

#include "distill/methods/method.h"

namespace retort {

std::vector<Method> built_in_methods();

}  // namespace retort
