#!/usr/bin/env bash
# Fills .deps/ with what the build needs, for a machine that can fetch nothing: Debian's packages, unpacked and cut down
# to what CMake and the compilers read. Installs nothing and needs no root. CMakeLists.txt looks in .deps/ first.
set -euo pipefail
cd "$(dirname "$0")/.."

# What install_packages.sh then no longer asks for.
wanted=(doctest-dev libstb-dev libcli11-dev nlohmann-json3-dev libbenchmark-dev libdnnl-dev libtomlplusplus-dev
        libboost-context-dev zlib1g-dev ocl-icd-opencl-dev libonnx-dev libprotobuf-dev libjs-chart.js)
# What those need, without the C and C++ libraries. zlib1g keeps its library outside of /usr/lib.
needed=(libdnnl2 libbenchmark1debian libboost-context1.74-dev libboost-context1.74.0 libboost1.74-dev zlib1g
        ocl-icd-libopencl1 opencl-c-headers libonnx1 libprotobuf32)
headers=(doctest stb CLI nlohmann benchmark oneapi 'dnnl*.h*' toml++ zlib.h zconf.h CL onnx google)
# libbenchmark_main.a is 2 KiB, and CMake insists on it.
libraries=('libdnnl.so*' 'libbenchmark.so*' libbenchmark_main.a 'libboost_context.so*' 'libz.so*' 'libOpenCL.so*'
           'libonnx.so*' 'libonnx_proto.so*' 'libprotobuf.so*')
# CMake's files under lib/ARCHITECTURE/cmake.
configurations=(dnnl benchmark 'BoostDetectToolset*' 'Boost-*' 'boost_context-*' 'boost_headers-*')

if ! command -v dpkg-deb >/dev/null || ! command -v apt-get >/dev/null; then
  echo "make deps-portable needs dpkg-deb and apt-get: run it on a Debian 12 machine and carry .deps/ from there." >&2
  exit 1
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch"/{debs,tree,lists,deps}

# _apt, as whom root would download, cannot write here.
download() { (cd "$scratch/debs" && apt-get -q -o APT::Sandbox::User=root "$@" download "${wanted[@]}" "${needed[@]}"); }
echo "Downloading ${#wanted[@]} packages and what they need ..."
if ! download >"$scratch/log" 2>&1; then
  # The machine's package lists are missing or old: fresh ones, kept to ourselves.
  lists=(-o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch/lists" -o APT::Sandbox::User=root)
  mkdir -p "$scratch/lists/partial" "$scratch/lists/archives/partial"
  if ! apt-get -q "${lists[@]}" update >"$scratch/log" 2>&1 || ! download "${lists[@]}" >>"$scratch/log" 2>&1; then
    tail -5 "$scratch/log" >&2
    exit 1
  fi
fi
for deb in "$scratch"/debs/*.deb; do dpkg-deb -x "$deb" "$scratch/tree"; done

# Debian has some libraries in /lib and some in /usr/lib; here all are in one folder.
from=$scratch/tree/usr
architecture=$(cd "$from/lib" && echo *-linux-gnu)
if [[ -d $scratch/tree/lib ]]; then cp -a "$scratch/tree/lib" "$from/"; fi
to=$scratch/deps/usr
lib=$to/lib/$architecture
script=share/javascript/chart.js
mkdir -p "$to/include" "$lib/cmake" "$to/lib/cmake" "$to/$script"
copy() {  # FROM INTO PATTERN...
  local folder=$1 into=$2 pattern
  shift 2
  for pattern in "$@"; do
    if ! compgen -G "$folder/$pattern" >/dev/null; then echo "no $pattern in these packages" >&2; exit 1; fi
    (cd "$folder" && cp -a $pattern "$into/")
  done
}
copy "$from/include" "$to/include" "${headers[@]}"
copy "$from/lib/$architecture" "$lib" "${libraries[@]}"
copy "$from/lib/$architecture/cmake" "$lib/cmake" "${configurations[@]}"
copy "$from/lib/cmake" "$to/lib/cmake" doctest
copy "$from/share" "$to/share" cmake
copy "$from/$script" "$to/$script" chart.min.js
# Boost's headers are 130 MiB, and the tests include one of them. The configurations for other compilers come along.
(cd "$from/include" && echo '#include <boost/context/detail/fcontext.hpp>' | "${CXX:-g++}" -M -x c++ -I . - |
  tr -d '\\' | tr ' ' '\n' | grep '^\(\./\)\?boost/' | xargs cp --parents -t "$to/include" &&
  cp -r --parents -t "$to/include" boost/config boost/version.hpp)
# A link with an absolute path would lead out of here; one to nothing is a library left behind.
find "$lib" -maxdepth 1 -type l -lname '/*' | while read -r link; do
  ln -sfn "$(basename "$(readlink "$link")")" "$link"
done
lost=$(find "$scratch/deps" -xtype l)
if [[ -n $lost ]]; then
  echo "links to nothing: $lost" >&2
  exit 1
fi

# Written last: what install_packages.sh takes for a complete folder.
rm -rf .deps/usr .deps/packages
mkdir -p .deps
mv "$to" .deps/usr
printf '%s\n' "${wanted[@]}" >.deps/packages
echo ".deps/ is filled: $(du -sm .deps/usr | cut -f1) MiB. On the other machine: make, or cmake --preset release."
