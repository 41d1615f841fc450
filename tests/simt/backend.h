// The SIMT runner as a backend of the kernel tests, for tests of that backend alone.
#pragma once

#include "tests/support/backend.h"

namespace retort::test {

const Backend& simt_backend();

}  // namespace retort::test
