# The commit a binary was built from, for run folders and `retort info`. A copy without git's folder may have it in a file
# named REVISION.
execute_process(COMMAND git -C ${CMAKE_CURRENT_SOURCE_DIR} describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE RETORT_REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT RETORT_REVISION AND EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/REVISION)
  file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/REVISION RETORT_REVISION LIMIT_COUNT 1)
endif()
if(NOT RETORT_REVISION)
  set(RETORT_REVISION unknown)
endif()
