// Event files as TensorBoard reads them: TFRecord frames around protobuf messages. Both formats are public and fixed;
// the few fields that scalars need are written here by hand.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace retort {

/// TensorBoard looks for "tfevents" in a file's name.
constexpr const char* tensorboard_file_name = "events.out.tfevents.retort";

using Scalars = std::vector<std::pair<std::string, double>>;  ///< tag, value

/// What a file begins with. `wall_time` in seconds since 1970.
std::string tensorboard_header(double wall_time);
/// One step's scalars, to be appended. What is not finite is left out.
std::string tensorboard_scalars(double wall_time, std::int64_t step, const Scalars& scalars);

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), which frames carry.
std::uint32_t crc32c(const std::string& bytes);

}  // namespace retort
