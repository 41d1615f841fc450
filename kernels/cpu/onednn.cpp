#include "kernels/cpu/onednn.h"

#include <utility>

#include "kernels/error.h"

namespace retort::cpu::onednn {

const dnnl::engine& engine() {
  static const auto* const instance = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *instance;
}

const dnnl::stream& stream() {
  static const auto* const instance = new dnnl::stream(engine());
  return *instance;
}

dnnl::memory::data_type data_type(DType type) {
  switch (type) {
    case DType::f32:
      return dnnl::memory::data_type::f32;
    case DType::bf16:
      return dnnl::memory::data_type::bf16;
    case DType::i32:
      return dnnl::memory::data_type::s32;
    case DType::u8:
      return dnnl::memory::data_type::u8;
  }
  fail(ErrorKind::internal, "unknown element type");
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

dnnl::post_ops residual_and_relu(const dnnl::memory::desc* residual, bool relu) {
  dnnl::post_ops operations;
  if (residual != nullptr) operations.append_binary(dnnl::algorithm::binary_add, *residual);
  if (!relu) return operations;
#if DNNL_VERSION_MAJOR >= 3
  operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
#else
  operations.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
#endif
  return operations;
}

void rethrow(const dnnl::error& error, const std::string& what) {
  const ErrorKind kind = error.status == dnnl_out_of_memory ? ErrorKind::memory : ErrorKind::device;
  throw Error(kind, text("oneDNN: ", error.what(), " (status ", static_cast<int>(error.status), "), ", what));
}

Call::Call(dnnl::primitive primitive, std::initializer_list<std::pair<int, dnnl::memory::desc>> arguments)
    : primitive_(std::move(primitive)), pointers_(arguments.size(), nullptr) {
  for (const auto& [index, description] : arguments) {
    memories_.push_back(dnnl::memory(description, engine(), DNNL_MEMORY_NONE));
    arguments_.push_back({index, memories_.back().get()});
  }
}

void Call::run(std::initializer_list<const void*> pointers) {
  RETORT_CHECK_AS(ErrorKind::internal, pointers.size() == pointers_.size(), "a oneDNN call with ", pointers.size(),
                  " arguments instead of ", pointers_.size());
  std::size_t i = 0;
  for (const void* pointer : pointers) {
    if (pointer != pointers_[i]) {
      dnnl::error::wrap_c_api(dnnl_memory_set_data_handle(memories_[i].get(), const_cast<void*>(pointer)),
                              "cannot set a buffer");
      pointers_[i] = pointer;
    }
    ++i;
  }
  dnnl::error::wrap_c_api(
      dnnl_primitive_execute(primitive_.get(), stream().get(), static_cast<int>(arguments_.size()), arguments_.data()),
      "execution failed");
}

Reorder::Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  if (from == to) return;
  const dnnl::reorder::primitive_desc description(engine(), from, engine(), to, user_scratchpad());
  scratch_bytes_ = description.scratchpad_desc().get_size();
  call_.emplace(dnnl::reorder(description),
                std::initializer_list<std::pair<int, dnnl::memory::desc>>{
                    {DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc()}});
}

}  // namespace retort::cpu::onednn
