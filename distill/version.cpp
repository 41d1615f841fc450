#include "distill/version.h"

#include <oneapi/dnnl/dnnl.hpp>

#include "kernels/cpu/threads.h"
#include "kernels/cpu/winograd.h"
#include "kernels/device_info.h"

namespace retort {

Versions versions() {
  const dnnl_version_t* v = dnnl_version();
  Versions out;
  out.retort = RETORT_VERSION;
  out.revision = RETORT_REVISION;
  out.compiler = "g++ " __VERSION__;
  out.onednn = std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  out.isa = cpu::instruction_set();
  if (cpu::winograd::in_use()) out.isa += " with Winograd";
  return out;
}

std::string arithmetic_of(Device device) {
  return device == Device::cuda ? cuda::device_info().identity() : versions().isa;
}

}  // namespace retort
