// The references work on plain vectors of double.
#pragma once

#include <vector>

namespace retort::reference {

using Values = std::vector<double>;

}  // namespace retort::reference
