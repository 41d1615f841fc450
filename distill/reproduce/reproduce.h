// Runs a recipe: teachers, students and controls over the pairs and seeds, then the table. Finished runs are kept.
#pragma once

#include <string>

#include "distill/reproduce/recipe.h"
#include "distill/reproduce/reproduce_options.h"
#include "distill/reproduce/table.h"
#include "distill/trainer.h"

namespace retort {

/// Tables are written after every run. A run that fails is tried once more, then stands in the table with its reason,
/// and what needs it is left out. Throws Error(internal) "stopped" when interrupted: the same call continues. Throws
/// Error(usage) for a folder that holds runs with other options.
Table reproduce(Recipe recipe, const ReproduceOptions& options, const LineSink& say);

}  // namespace retort
