// Files that are part of the program, which so needs none beside it wherever it is installed. cmake/Embed.cmake puts
// them there.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace retort {

struct EmbeddedFile {
  std::string_view text;
  std::string_view sha256;  ///< of the text, hexadecimal
};

/// By file name without its folder.
using EmbeddedFiles = std::map<std::string, EmbeddedFile>;

/// distill/recipes/*.toml.
const EmbeddedFiles& recipe_files();
/// distill/report/page.{html,css,js}, and chart.min.js where Chart.js was there when this program was built.
const EmbeddedFiles& page_files();

}  // namespace retort
