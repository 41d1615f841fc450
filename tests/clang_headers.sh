#!/usr/bin/env bash
# Compiles every header of the three lower folders by itself with clang++: fuzzing needs clang, so what parsers and
# checks include has to stay in the C++20 that clang 14 takes with libstdc++ 12. Also finds a header that forgets an include.
set -euo pipefail
cd "$(dirname "$0")/.."

clang=${CLANGXX:-clang++}
if ! command -v "$clang" >/dev/null; then
  echo "SKIPPED: no $clang, so the headers were not compiled with clang (Debian package: clang)." >&2
  exit 0
fi

shopt -s nullglob
headers=(kernels/*.h engine/*.h data/*.h)
if [[ ${#headers[@]} -eq 0 ]]; then
  echo "No headers found." >&2
  exit 1
fi

failed=0
for header in "${headers[@]}"; do
  # Through an #include, because clang warns of `#pragma once` in a main file.
  if ! "$clang" -std=c++20 -fsyntax-only -I. -isystem .deps/usr/include -x c++ - <<<"#include \"$header\""; then
    echo "FAILED: $header" >&2
    failed=$((failed + 1))
  fi
done
echo "$("$clang" --version | head -n 1): $((${#headers[@]} - failed)) of ${#headers[@]} headers compile alone."
[[ $failed -eq 0 ]]
