# `make demo` and `make test` are all the set-up there is; `make help` lists the rest.
# Every step goes through CMakePresets.json, so that cmake, ctest and an editor see the same builds.

# More options for CMake, such as CMAKE_FLAGS=-DRETORT_WERROR=ON. They stay in the build folder's cache.
CMAKE_FLAGS ?=
DEMO_OUT ?= runs/demo

# Ninja runs the compilers in parallel; two of these targets at once would only fight over the cores.
.NOTPARALLEL:
.PHONY: help packages deps-portable configure build demo test bench sanitize fuzz \
        clang-check clean

help:
	@echo 'make demo         install what is missing, build, run a small reproduction and its report into $(DEMO_OUT)'
	@echo 'make test         install what is missing, build, run the tests'
	@echo 'make build        install what is missing, build (Release, in build/)'
	@echo 'make bench        benchmarks of the ops, and of whole training steps beside PyTorch where it is installed'
	@echo 'make sanitize     the tests under the address and undefined-behaviour sanitizers (in build-sanitize/)'
	@echo 'make fuzz         libFuzzer on every parser, FUZZ_SECONDS (10) each (clang++, in build-fuzz/)'
	@echo 'make clang-check  compile every header by itself with clang++'
	@echo 'make deps-portable  fill .deps/, with which the project builds on a machine that can fetch nothing'
	@echo 'make clean        remove the build folders'
	@echo 'CMAKE_FLAGS=...   more options for CMake; RETORT_NO_INSTALL=1 never installs packages'

packages:
	@cmake/install_packages.sh

deps-portable:
	@cmake/fetch_portable.sh

# CMake runs every time (a second): it records the commit that run folders quote.
configure: packages
	cmake --preset release $(CMAKE_FLAGS)

build: configure
	cmake --build --preset release

# The program alone: no need to wait for tests and benchmarks.
demo: configure
	cmake --build --preset release --target retort
	build/distill/retort reproduce demo --out $(DEMO_OUT)
	build/distill/retort report $(DEMO_OUT) --out $(DEMO_OUT)/report.html

# Without the benchmarks.
test: configure
	cmake --build --preset release --target retort_tests
	ctest --preset release

# The comparison exits with 3 where there is no PyTorch, which is no failure here.
bench: build
	@if [ -x build/bench/retort_bench ]; then build/bench/retort_bench; else echo 'retort_bench is not built'; fi
	@if command -v python3 >/dev/null; then bench/compare_with_pytorch || [ $$? -eq 3 ]; \
	else echo 'No python3, so no comparison with PyTorch.'; fi

sanitize: packages
	cmake --preset sanitize $(CMAKE_FLAGS)
	cmake --build --preset sanitize
	ctest --preset sanitize

fuzz:
	@cmake/install_packages.sh clang
	cmake --preset fuzz $(CMAKE_FLAGS)
	cmake --build --preset fuzz
	@tests/fuzz/run.sh

clang-check:
	@tests/clang_headers.sh

clean:
	rm -rf build build-debug build-sanitize build-thread build-fuzz
