# retort_embed_text(SOURCE FUNCTION FILES...): writes SOURCE, which defines
#   const std::map<std::string, std::string>& retort::FUNCTION()
# from each file's name to its text. CMake runs again when one of them changes.
function(retort_embed_text source function)
  set(entries "")
  foreach(file ${ARGN})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME)
    file(READ ${file} text)
    string(APPEND entries "      {\"${name}\", R\"embedded(${text})embedded\"},\n")
  endforeach()
  set(content "// Written by cmake/EmbedText.cmake.
#include <map>
#include <string>

namespace retort {
const std::map<std::string, std::string>& ${function}();
const std::map<std::string, std::string>& ${function}() {
  static const std::map<std::string, std::string> texts = {
${entries}  };
  return texts;
}
}  // namespace retort
")
  set(before "")
  if(EXISTS ${source})
    file(READ ${source} before)
  endif()
  if(NOT before STREQUAL content)
    file(WRITE ${source} "${content}")
  endif()
endfunction()
