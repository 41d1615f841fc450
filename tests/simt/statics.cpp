#include "tests/simt/statics.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

namespace simt {
namespace {

/// What this program's addresses are relative to.
std::uintptr_t load_address() {
  std::uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<std::uintptr_t*>(out) = info->dlpi_addr;
        return 1;  // the first is the program itself
      },
      &base);
  return base;
}

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : name;
}

std::vector<StaticVariable> read_symbols() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto at = [&bytes](std::size_t offset) { return bytes.data() + offset; };
  Elf64_Ehdr header;
  std::memcpy(&header, at(0), sizeof header);
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  std::memcpy(sections.data(), at(header.e_shoff), sections.size() * sizeof(Elf64_Shdr));
  std::vector<StaticVariable> variables;
  const std::uintptr_t base = load_address();
  for (const Elf64_Shdr& table : sections) {
    if (table.sh_type != SHT_SYMTAB) continue;
    const char* names = at(sections[table.sh_link].sh_offset);
    for (std::size_t i = 0; i < table.sh_size / sizeof(Elf64_Sym); ++i) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, at(table.sh_offset + i * sizeof symbol), sizeof symbol);
      if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_size == 0) continue;
      if (symbol.st_shndx >= sections.size() || (sections[symbol.st_shndx].sh_flags & SHF_WRITE) == 0) continue;
      variables.push_back(
          {demangled(names + symbol.st_name), reinterpret_cast<std::byte*>(base + symbol.st_value), symbol.st_size});
    }
  }
  std::sort(variables.begin(), variables.end(),
            [](const StaticVariable& a, const StaticVariable& b) { return a.begin < b.begin; });
  return variables;
}

}  // namespace

const StaticVariable* static_variable_at(const void* address) {
  static const std::vector<StaticVariable> variables = read_symbols();
  const auto* p = static_cast<const std::byte*>(address);
  auto next = std::upper_bound(variables.begin(), variables.end(), p,
                               [](const std::byte* a, const StaticVariable& v) { return a < v.begin; });
  if (next == variables.begin()) return nullptr;
  const StaticVariable& variable = *std::prev(next);
  return p < variable.begin + variable.bytes ? &variable : nullptr;
}

bool is_constant(const void* address) {
  struct Query {
    std::uintptr_t address;
    bool found;
  } query{reinterpret_cast<std::uintptr_t>(address), false};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        Query& q = *static_cast<Query*>(out);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& segment = info->dlpi_phdr[i];
          const bool constant =
              (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0) || segment.p_type == PT_GNU_RELRO;
          const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          if (constant && q.address >= begin && q.address < begin + segment.p_memsz) q.found = true;
        }
        return q.found ? 1 : 0;
      },
      &query);
  return query.found;
}

std::string source_line(const void* return_address) {
  // The call is the instruction before the one that it returns to.
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(return_address) - 1 - load_address();
  std::ostringstream command;
  command << "addr2line -e /proc/" << getpid() << "/exe -s -i -p -f -C 0x" << std::hex << address << " 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.str().c_str(), "r"), pclose);
  std::string text;
  char line[512];
  while (pipe && std::fgets(line, sizeof line, pipe.get()) != nullptr) text += line;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (std::size_t at; (at = text.find('\n')) != std::string::npos;) text.replace(at, 1, ";");
  return text.empty() ? "an unknown line" : text;
}

}  // namespace simt
