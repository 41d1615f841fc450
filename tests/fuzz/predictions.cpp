#include "distill/predictions.h"

#include "tests/fuzz/fuzz.h"

using namespace retort;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  return fuzz::run([&] {
    const Predictions p = parse_predictions_csv(content, fuzz::file_name);
    fuzz::require(!p.index.empty() && p.label.size() == p.index.size() && p.prediction.size() == p.index.size(),
                  "columns");
    for (std::size_t i = 0; i < p.index.size(); ++i) {
      fuzz::require(p.index[i] >= 0 && p.label[i] >= 0 && p.prediction[i] >= 0, "a row's numbers");
    }
  });
}
