#!/usr/bin/env bash
# Runs every fuzz target for FUZZ_SECONDS (10), as many at once as there are cores, first on good files made by fuzz_seeds,
# then on what earlier runs found worth keeping. The input that breaks a target is left in build-fuzz/found/; the target
# with its path runs it again.
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=build-fuzz/tests/fuzz
seconds=${FUZZ_SECONDS:-10}

run_target() {
  local target=$1 log=build-fuzz/found/$1.log
  mkdir -p "build-fuzz/corpus/$target"
  # A picture may claim 64 megapixels: with the decoder's copies that is more than the 2 GB libFuzzer allows by itself.
  if "$bin/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
      -artifact_prefix="build-fuzz/found/$target-" "build-fuzz/corpus/$target" "build-fuzz/seeds/$target" 2>"$log"; then
    printf '%-13s %s inputs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    printf '%-13s FAILED\n%s\n' "$target" "$(grep -m 4 -E 'ERROR|runtime error|Assertion|^fuzz:|Test unit written' "$log" || tail -n 5 "$log")"
    return 1
  fi
}

if [[ ${1:-} == --target ]]; then
  run_target "$2"
  exit
fi
mkdir -p build-fuzz/found build-fuzz/corpus
"$bin/fuzz_seeds" build-fuzz/seeds
printf '%s\n' npz idx cifar picture gunzip safetensors significance predictions options recipe | xargs -P "$(nproc)" -I{} tests/fuzz/run.sh --target {}
