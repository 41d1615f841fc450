# retort_embed(SOURCE FUNCTION FILES...): writes SOURCE, which defines
#   const EmbeddedFiles& retort::FUNCTION()
# of embedded_file.h with those of the files that exist. CMake runs again when one of them changes.
function(retort_embed source function)
  set(entries "")
  foreach(file ${ARGN})
    if(NOT EXISTS "${file}")
      continue()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME)
    file(READ ${file} text)
    file(SHA256 ${file} sha256)
    string(APPEND entries "      {\"${name}\", {R\"embedded(${text})embedded\", \"${sha256}\"}},\n")
  endforeach()
  set(content "// Written by cmake/Embed.cmake.
#include \"distill/embedded_file.h\"

namespace retort {
const EmbeddedFiles& ${function}() {
  static const EmbeddedFiles files = {
${entries}  };
  return files;
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
