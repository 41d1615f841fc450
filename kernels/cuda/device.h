// What every .cu file begins with. tests/simt compiles the same files with the host compiler, its own cuda_runtime.h
// and another namespace, so that a test program can hold both.
#pragma once

#include <cuda_runtime.h>

#ifndef RETORT_CUDA_NAMESPACE
#define RETORT_CUDA_NAMESPACE cuda
#endif

/// Compilers split wide accesses where they may, so the runner has to be told what one is.
#if defined(RETORT_SIMT)
#define RETORT_CHECK_ALIGNED(address, bytes) ::simt::check_aligned(address, bytes)
#else
#define RETORT_CHECK_ALIGNED(address, bytes) static_cast<void>(0)
#endif

namespace retort::RETORT_CUDA_NAMESPACE {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffU;

}  // namespace retort::RETORT_CUDA_NAMESPACE
