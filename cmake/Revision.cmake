# The commit a binary was built from, for run folders and `retort info`.
execute_process(COMMAND git -C ${CMAKE_CURRENT_SOURCE_DIR} describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE RETORT_REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT RETORT_REVISION)
  set(RETORT_REVISION unknown)
endif()
