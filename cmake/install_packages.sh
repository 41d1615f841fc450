#!/usr/bin/env bash
# Installs the Debian packages that the build needs and that are not there, and those named as arguments.
# Prints nothing when all are there; says what it will install before it does. What .deps/ holds (make deps-portable)
# is there.
set -euo pipefail

if [[ ${RETORT_NO_INSTALL:-0} != 0 ]]; then exit 0; fi

# ocl-icd-opencl-dev: Debian's oneDNN asks CMake for OpenCL, and its package only recommends it.
packages=(cmake ninja-build g++ doctest-dev libstb-dev libcli11-dev nlohmann-json3-dev libbenchmark-dev libdnnl-dev
          libtomlplusplus-dev libboost-context-dev zlib1g-dev ocl-icd-opencl-dev libonnx-dev libprotobuf-dev libjs-chart.js "$@")

# A program counts however it was installed; a library has to be a package, or CMake may not find it.
declare -A program=([cmake]=cmake [ninja-build]=ninja [g++]=g++ [clang]=clang++ [chromium]=chromium [python3]=python3)

cd "$(dirname "$0")/.."
carried=$(cat .deps/packages 2>/dev/null || true)
there() {
  grep -qxF "$1" <<<"$carried" || { [[ -n ${program[$1]:-} ]] && command -v "${program[$1]}" >/dev/null; }
}
wanted=()
for package in "${packages[@]}"; do
  if ! there "$package"; then wanted+=("$package"); fi
done
if [[ ${#wanted[@]} -eq 0 ]]; then exit 0; fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  # CMake decides: it stops at the first library that it does not find. Not said again once it has found them all.
  if [[ ! -e build/build.ninja ]]; then
    echo "Not a Debian system: needed are CMake 3.25, Ninja, a C++20 compiler with OpenMP, and oneDNN, zlib, doctest," \
         "stb, CLI11, nlohmann-json and toml++ (Google Benchmark, ONNX and Chart.js are optional), by whatever means the system has." >&2
  fi
  exit 0
fi

# dpkg-query fails if it knows nothing of one of them, and still prints the others.
installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
  if ! grep -qxF "$package installed" <<<"$installed"; then missing+=("$package"); fi
done
if [[ ${#missing[@]} -eq 0 ]]; then exit 0; fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "Missing packages, and neither root nor sudo to install them: ${missing[*]}" \
         "(RETORT_NO_INSTALL=1 builds without this check)." >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "Installing with apt-get: ${missing[*]}"
if ! "${as_root[@]}" true; then
  echo "sudo was refused; these packages are missing: ${missing[*]}" >&2
  exit 1
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}
install() { apt install -y --no-install-recommends "${missing[@]}"; }

# Fetch the package lists only if a package is not in them, or if what they name is no longer served.
fresh=no
if ! apt-get install --simulate "${missing[@]}" >/dev/null 2>&1; then
  apt update
  fresh=yes
fi
if install; then exit 0; fi
if [[ $fresh == no ]] && apt update && install; then exit 0; fi
echo "apt-get could not install: ${missing[*]}" >&2
exit 1
