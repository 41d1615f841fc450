# The CUDA backend's compiler and libraries: nvcc, cuBLASLt, cuDNN 9.11 or later. Looked for in the CUDA toolkit, in system
# folders, in the wheels of a Python environment (nvidia-cudnn-cu13 and the like) and in .deps/ (make deps-portable).
# Sets RETORT_HAS_CUDA; where something is missing, says what in one line, and the CPU backend is built alone.

set(RETORT_CUDA auto CACHE STRING "Build the CUDA backend: auto (where everything is found), on, off")
set(RETORT_HAS_CUDA FALSE)
set(RETORT_CUDNN_MINIMUM 9.11)  # plans for a described device

function(retort_no_cuda missing)
  if(RETORT_CUDA STREQUAL "on")
    message(FATAL_ERROR "CUDA backend: missing ${missing}")
  endif()
  message(STATUS "CUDA backend: NOT BUILT, missing ${missing}; the CPU backend is built alone")
endfunction()

# Folders of a Python environment in which NVIDIA's wheels unpack: .../site-packages/nvidia/*.
function(retort_python_wheels out)
  set(folders "")
  find_program(RETORT_PYTHON NAMES python3 python)
  if(RETORT_PYTHON)
    execute_process(COMMAND ${RETORT_PYTHON} -c "import sys; print(';'.join(p for p in sys.path if p))"
                    OUTPUT_VARIABLE paths OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    foreach(path IN LISTS paths)
      file(GLOB wheels LIST_DIRECTORIES TRUE ${path}/nvidia/*)
      list(APPEND folders ${wheels})
    endforeach()
  endif()
  set(${out} ${folders} PARENT_SCOPE)
endfunction()

if(RETORT_CUDA STREQUAL "off")
  message(STATUS "CUDA backend: not built (RETORT_CUDA=off)")
  return()
endif()

retort_python_wheels(wheels)
file(GLOB carried LIST_DIRECTORIES TRUE ${RETORT_DEPS}/nvidia/*)
set(places $ENV{CUDA_HOME} $ENV{CUDA_PATH} /usr/local/cuda ${carried} ${wheels})

if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(RETORT_NVCC nvcc HINTS ${places} PATH_SUFFIXES bin)
  if(NOT RETORT_NVCC)
    retort_no_cuda("nvcc (the CUDA toolkit)")
    return()
  endif()
  set(ENV{CUDACXX} ${RETORT_NVCC})  # set as CMake's variable it would not be tried out
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  # Ampere, Hopper, and code that the driver compiles for what comes after.
  set(CMAKE_CUDA_ARCHITECTURES "80-real;90" CACHE STRING "GPU architectures that kernels are compiled for")
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  retort_no_cuda("a working nvcc (${RETORT_NVCC} fails with ${CMAKE_CXX_COMPILER})")
  return()
endif()
enable_language(CUDA)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.4)
  retort_no_cuda("nvcc 12.4 or later for conditional graphs (${CMAKE_CUDA_COMPILER} is ${CMAKE_CUDA_COMPILER_VERSION})")
  return()
endif()
# CMake 3.25 does not know that nvcc 12 has C++20.
if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
find_package(CUDAToolkit QUIET)
if(NOT TARGET CUDA::cudart_static)
  retort_no_cuda("the CUDA runtime library beside ${CMAKE_CUDA_COMPILER}")
  return()
endif()

# A library that may lie outside of the toolkit, and its header: imported as retort::NAME.
function(retort_cuda_library name header)
  find_path(RETORT_${name}_INCLUDE ${header} HINTS ${CUDAToolkit_INCLUDE_DIRS} ${places} PATH_SUFFIXES include)
  # Wheels have no plain .so. Place by place, as with the header: another version may lie in a later one.
  find_library(RETORT_${name}_LIBRARY NAMES ${name} ${ARGN} NAMES_PER_DIR HINTS ${CUDAToolkit_LIBRARY_DIR} ${places}
               PATH_SUFFIXES lib lib64)
  if(RETORT_${name}_INCLUDE AND RETORT_${name}_LIBRARY)
    add_library(retort::${name} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(retort::${name} PROPERTIES IMPORTED_LOCATION ${RETORT_${name}_LIBRARY}
                                                     INTERFACE_INCLUDE_DIRECTORIES ${RETORT_${name}_INCLUDE})
  endif()
endfunction()

retort_cuda_library(cublasLt cublasLt.h libcublasLt.so.${CUDAToolkit_VERSION_MAJOR})
retort_cuda_library(cudnn cudnn_graph.h libcudnn.so.9)
if(NOT TARGET retort::cublasLt)
  retort_no_cuda("cuBLASLt")
  return()
endif()
if(NOT TARGET retort::cudnn)
  retort_no_cuda("cuDNN 9 (in the toolkit, a system package, the Python wheel nvidia-cudnn-cu${CUDAToolkit_VERSION_MAJOR}, or .deps/)")
  return()
endif()
file(STRINGS ${RETORT_cudnn_INCLUDE}/cudnn_version.h lines REGEX "^#define CUDNN_(MAJOR|MINOR|PATCHLEVEL) +[0-9]+")
string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*PATCHLEVEL +([0-9]+).*" "\\1.\\2.\\3" cudnn_version "${lines}")
if(cudnn_version VERSION_LESS RETORT_CUDNN_MINIMUM)
  retort_no_cuda("cuDNN ${RETORT_CUDNN_MINIMUM} or later (${RETORT_cudnn_LIBRARY} is ${cudnn_version})")
  return()
endif()

set(RETORT_HAS_CUDA TRUE)
message(STATUS "CUDA backend: nvcc ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}, cuDNN ${cudnn_version}")
