#include "distill/significance.h"

#include "tests/fuzz/fuzz.h"

using namespace retort;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  return fuzz::run([&] {
    const Significance s = parse_significance_csv(content, fuzz::file_name);
    fuzz::require(!s.count.empty() && s.index.size() == s.count.size() && s.label.size() == s.count.size(), "columns");
    for (std::size_t i = 0; i < s.count.size(); ++i) {
      fuzz::require(s.index[i] >= 0 && s.label[i] >= 0 && s.count[i] >= 0 && s.count[i] <= s.epochs, "a row's numbers");
    }
    for (const char* mapping : {"rate", "linear", "log", "top-share"}) {
      for (const float weight : significance_weights(s, mapping, 0.5)) {
        fuzz::require(weight >= 0 && weight <= 1, std::string(mapping) + " outside [0, 1]");
      }
    }
  });
}
