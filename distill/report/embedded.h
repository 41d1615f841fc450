// The page's parts, which cmake/embed.cmake puts into the program.
#pragma once

#include <string_view>

namespace retort::embedded {

struct File {
  std::string_view text;    ///< empty where the file was not there when the program was built
  std::string_view sha256;  ///< of the text, hexadecimal
};

extern const File page_html, page_css, page_js, chart_js;

}  // namespace retort::embedded
