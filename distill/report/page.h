// The page: one HTML file with its data, its script, its style and Chart.js inside, which asks nothing of a network.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "distill/report/embedded.h"

namespace retort {

/// The JSON of a value as it may stand in a script element, whatever its strings hold. Bytes that are no UTF-8 become
/// U+FFFD.
std::string script_json(const nlohmann::ordered_json& data);

/// Throws Error(output) that says what to install where Chart.js was not there when this program was built.
std::string report_page(const nlohmann::ordered_json& data, const embedded::File& chart_library = embedded::chart_js);

}  // namespace retort
