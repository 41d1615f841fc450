// The CPU backend's thread count, and what the processor can do.
#pragma once

#include <string>

namespace retort::cpu {

/// How many OpenMP threads kernels use from now on. Results are bitwise repeatable at a fixed count.
void set_threads(int count);
int threads();

/// The instruction set oneDNN generates code for, e.g. "avx512_core_bf16".
std::string instruction_set();
/// Whether bf16 convolutions run on native instructions.
bool has_bf16();

}  // namespace retort::cpu
