// What launching costs when there is nothing to do: the floor of a step of many small kernels.
#pragma once

namespace retort::bench {

/// Seconds of so many empty kernels, each after the other: replayed as one CUDA graph, or launched one by one. 0 where
/// there is no CUDA.
double empty_graph_seconds(int kernels);
double empty_launches_seconds(int kernels);

}  // namespace retort::bench
