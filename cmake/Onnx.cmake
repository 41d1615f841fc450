# ONNX's messages, for `retort export --to onnx`: Debian's libonnx-dev and libprotobuf-dev. Sets RETORT_HAS_ONNX and makes
# the targets retort::onnx and, for tests, retort::onnx_checker. Not ONNX's own CMake configuration, which stops everything
# where a part is missing that is not needed here.

set(RETORT_ONNX auto CACHE STRING "Write ONNX models: auto (where the library is found), on, off")
set(RETORT_HAS_ONNX FALSE)

function(retort_no_onnx reason)
  if(RETORT_ONNX STREQUAL "on")
    message(FATAL_ERROR "ONNX: ${reason}")
  endif()
  message(STATUS "ONNX: NOT BUILT, ${reason}; retort export --to onnx will say so")
endfunction()

if(RETORT_ONNX STREQUAL "off")
  message(STATUS "ONNX: not built (RETORT_ONNX=off)")
  return()
endif()
find_package(Protobuf QUIET)
find_path(RETORT_ONNX_INCLUDE onnx/onnx_pb.h)
find_library(RETORT_ONNX_PROTO onnx_proto)
find_library(RETORT_ONNX_LIBRARY onnx)
if(NOT TARGET protobuf::libprotobuf)
  retort_no_onnx("missing protobuf (libprotobuf-dev)")
  return()
endif()
if(NOT RETORT_ONNX_INCLUDE OR NOT RETORT_ONNX_PROTO OR NOT RETORT_ONNX_LIBRARY)
  retort_no_onnx("missing the ONNX library (libonnx-dev)")
  return()
endif()

function(retort_onnx_library name library)
  add_library(retort::${name} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(retort::${name} PROPERTIES
    IMPORTED_LOCATION ${library} INTERFACE_INCLUDE_DIRECTORIES ${RETORT_ONNX_INCLUDE}
    INTERFACE_COMPILE_DEFINITIONS "ONNX_NAMESPACE=onnx;ONNX_ML=1" INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()
retort_onnx_library(onnx ${RETORT_ONNX_PROTO} protobuf::libprotobuf)

# Its headers refuse another version of protobuf than they were made by.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES retort::onnx)
check_cxx_source_compiles("#include <onnx/onnx_pb.h>
int main() { return onnx::ModelProto().IsInitialized() ? 0 : 1; }" RETORT_ONNX_WORKS)
unset(CMAKE_REQUIRED_LIBRARIES)
if(NOT RETORT_ONNX_WORKS)
  unset(RETORT_ONNX_WORKS CACHE)  # looked at again next time
  retort_no_onnx("${RETORT_ONNX_PROTO} does not go with protobuf ${Protobuf_VERSION}")
  return()
endif()
set(RETORT_HAS_ONNX TRUE)
retort_onnx_library(onnx_checker ${RETORT_ONNX_LIBRARY} retort::onnx)
message(STATUS "ONNX: ${RETORT_ONNX_PROTO}, protobuf ${Protobuf_VERSION}")
