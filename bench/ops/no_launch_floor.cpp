// Where CUDA is not built.
#include "bench/ops/launch_floor.h"

namespace retort::bench {

double empty_graph_seconds(int) {
  return 0;
}
double empty_launches_seconds(int) {
  return 0;
}

}  // namespace retort::bench
