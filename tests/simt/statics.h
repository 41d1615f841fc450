// The static variables of this program, from its own symbol table: kernels' shared variables are among them.
#pragma once

#include <cstddef>
#include <string>

namespace simt {

struct StaticVariable {
  std::string name;
  std::byte* begin = nullptr;
  std::size_t bytes = 0;
};

/// The writable variable that holds the address, or null.
const StaticVariable* static_variable_at(const void* address);
/// Whether the address lies in memory that the program was loaded with and cannot write: constant tables.
bool is_constant(const void* address);
/// "file:line" of the instruction before a return address, with the function where it was inlined.
std::string source_line(const void* return_address);

}  // namespace simt
