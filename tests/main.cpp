#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/temporary_folder.h"

namespace {

/// What programs keep for the next run is kept for the next program of this test, and in no user's folder.
struct OwnCache {
  OwnCache() { setenv("RETORT_CACHE_DIR", (folder / "cache").c_str(), 1); }
  retort::test::TemporaryFolder folder;
};
const OwnCache own_cache;

}  // namespace
