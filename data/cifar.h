// CIFAR-10 and CIFAR-100 in their binary version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "data/dataset.h"

namespace retort {

/// Appends the records of one file: `label_bytes` (the last one counts), then 3 planes of 32x32. Error(input) starting
/// with `name` if the size is no multiple of a record, there is none, or a label is not below `classes`.
void parse_cifar(const std::uint8_t* bytes, std::size_t size, int label_bytes, int classes, const std::string& name,
                 ImageSplit& split);

/// `name` is "cifar10" (data_batch_1..5.bin, test_batch.bin) or "cifar100" (train.bin, test.bin; fine labels). The
/// files lie in `folder`, or in its cifar-10-batches-bin / cifar-100-binary.
Dataset load_cifar(const std::string& name, const std::string& folder);

}  // namespace retort
