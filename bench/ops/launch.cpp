#include "bench/ops/launch_floor.h"
#include "bench/ops/suite.h"

namespace retort::bench {

// Steps of the recipes' networks are 100 to 600 launches.
void add_launch(Suite& suite) {
  for (const int kernels : {1, 100, 300}) {
    const std::string id = std::to_string(kernels) + " empty kernels";
    suite.add_timed("launch", "graph", id, [kernels] { return empty_graph_seconds(kernels); });
    suite.add_timed("launch", "stream", id, [kernels] { return empty_launches_seconds(kernels); });
  }
}

}  // namespace retort::bench
