// `retort reproduce --list`.
#pragma once

#include "distill/reproduce/reproduce.h"

namespace retort {

/// To standard output: each built-in recipe with its data set, networks, methods, cost in FLOPs and hours on this
/// device, for which each network is timed. Takes some seconds.
void print_recipe_list(const ReproduceOptions& options);

}  // namespace retort
