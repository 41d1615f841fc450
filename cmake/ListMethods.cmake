# retort_list_methods(SOURCE FILES...): writes SOURCE, which defines built_in_methods() of distill/methods/built_in.h: what
# make_NAME() of each file NAME.cpp makes.
function(retort_list_methods source)
  set(declarations "")
  set(entries "")
  foreach(file ${ARGN})
    get_filename_component(name ${file} NAME_WE)
    string(APPEND declarations "Method make_${name}();\n")
    string(APPEND entries "  list.push_back(make_${name}());\n")
  endforeach()
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "// Written by cmake/ListMethods.cmake.
#include \"distill/methods/built_in.h\"

namespace retort {
@declarations@
std::vector<Method> built_in_methods() {
  std::vector<Method> list;
@entries@  return list;
}
}  // namespace retort
")
endfunction()
