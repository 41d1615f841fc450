// The page: one HTML file with its data, its script, its style and Chart.js inside, which asks nothing of a network.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "distill/embedded_file.h"

namespace retort {

/// The JSON of a value as it may stand in a script element, whatever its strings hold. Bytes that are no UTF-8 become
/// U+FFFD.
std::string script_json(const nlohmann::ordered_json& data);

/// Throws Error(output) that says what to install where `parts` (page_files()) have no Chart.js.
std::string report_page(const nlohmann::ordered_json& data, const EmbeddedFiles& parts = page_files());

}  // namespace retort
