// What the runner's own tests launch.
#pragma once

namespace simt::planted {

enum class Bug {
  none,
  one_too_far,
  shared_too_small,
  half_aligned,
  never_written,
  no_barrier,
  both_write,
  barrier_in_branch,
  shuffle_in_branch,
  first_come,
  same_store,
  same_plain_store,
  same_store_then_read,
  neighbours_then_read,
  zeroed_at_once,
  half_warp_barrier,
  halves_then_all,
  last_adds,
  no_fence_before_ticket,
  no_fence_behind_ticket,
  no_barrier_before_ticket,
  ticket_overwritten,
  last_but_one_adds,
  last_of_two_levels,
};

/// x has n floats, y as many; counter has nine.
void run(Bug bug, float* x, int n, float* y, int* counter);

}  // namespace simt::planted
