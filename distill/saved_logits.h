// The teacher's logits of all training samples, kept in its run folder for the next student of the same teacher.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace retort {

struct SavedLogits {
  std::vector<float> values;  ///< (samples, outputs)
  double macs = 0;            ///< multiply-accumulates that they took
};

/// `identity` is everything that decides the values' bits: another one's file is as good as none, and so is a damaged
/// one.
std::optional<SavedLogits> read_logits(const std::string& path, const std::string& identity, std::int64_t samples,
                                       std::int64_t outputs);
/// Throws Error(output).
void write_logits(const std::string& path, const std::string& identity, std::int64_t samples, std::int64_t outputs,
                  const SavedLogits& logits);

}  // namespace retort
