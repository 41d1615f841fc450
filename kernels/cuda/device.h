// What every .cu file begins with. tests/simt compiles the same files with the host compiler, its own cuda_runtime.h
// and another namespace, so that a test program can hold both.
#pragma once

#include <cuda_runtime.h>

#ifndef RETORT_CUDA_NAMESPACE
#define RETORT_CUDA_NAMESPACE cuda
#endif

namespace retort::RETORT_CUDA_NAMESPACE {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffU;

}  // namespace retort::RETORT_CUDA_NAMESPACE
