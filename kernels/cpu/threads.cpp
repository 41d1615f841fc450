#include "kernels/cpu/threads.h"

#include <dnnl.h>
#include <omp.h>

#include "kernels/error.h"

namespace retort::cpu {

void set_threads(int count) {
  RETORT_CHECK(count >= 1, "the number of threads must be at least 1, not ", count);
  omp_set_dynamic(0);  // a team that shrinks under load would change the order of sums
  omp_set_num_threads(count);
}

int threads() {
  return omp_get_max_threads();
}

std::string instruction_set() {
  switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
      return "sse41";
    case dnnl_cpu_isa_avx:
      return "avx";
    case dnnl_cpu_isa_avx2:
      return "avx2";
    case dnnl_cpu_isa_avx2_vnni:
      return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core:
      return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx:
      return "avx512_core_amx";
    default:
      return text("isa_", static_cast<unsigned>(dnnl_get_effective_cpu_isa()));
  }
}

bool has_bf16() {
  // Each instruction set's number has the bits of every set it contains.
  const auto have = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
  constexpr auto want = static_cast<unsigned>(dnnl_cpu_isa_avx512_core_bf16);
  return (have & want) == want;
}

}  // namespace retort::cpu
