# Warnings for our own code only; linked privately by every target.
add_library(retort_warnings INTERFACE)
set(cxx $<COMPILE_LANGUAGE:CXX>)
set(cuda $<COMPILE_LANGUAGE:CUDA>)
target_compile_options(retort_warnings INTERFACE
  $<${cxx}:-Wall> $<${cxx}:-Wextra> $<$<AND:${cxx},$<BOOL:${RETORT_WERROR}>>:-Werror>
  $<${cuda}:-Xcompiler=-Wall,-Wextra> $<$<AND:${cuda},$<BOOL:${RETORT_WERROR}>>:-Werror=all-warnings>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns falsely inside std::string's operator+ (GCC bug 105651).
  target_compile_options(retort_warnings INTERFACE $<${cxx}:-Wno-restrict> $<${cuda}:-Xcompiler=-Wno-restrict>)
endif()
