# Warnings for our own code only; linked privately by every target.
add_library(retort_warnings INTERFACE)
target_compile_options(retort_warnings INTERFACE -Wall -Wextra $<$<BOOL:${RETORT_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns falsely inside std::string's operator+ (GCC bug 105651).
  target_compile_options(retort_warnings INTERFACE -Wno-restrict)
endif()
