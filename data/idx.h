// MNIST and Fashion-MNIST: IDX files, plain or gzipped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace retort {

struct IdxArray {
  std::vector<int> shape;            ///< 1 to 4 dimensions
  std::vector<std::uint8_t> values;  ///< row-major
};

/// Decodes an IDX file of unsigned bytes held in memory. Error(input) starting with `name` for a bad magic number, a
/// shape that does not match the number of bytes, or more dimensions than 4. Allocates no more than `size` bytes.
IdxArray parse_idx(const std::uint8_t* bytes, std::size_t size, const std::string& name);

/// The four files in `folder`, in either spelling (train-images-idx3-ubyte, train-images.idx3-ubyte), with or without
/// ".gz". `name` is "mnist" or "fashion-mnist". Any image size up to 1024x1024 is taken.
Dataset load_idx(const std::string& name, const std::string& folder);

}  // namespace retort
