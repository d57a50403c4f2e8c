# SPDX-License-Identifier: Apache-2.0
#   make            set up the machine where needed, build build/datadream
#   make test       build, then all tests
#   make demo       build, then the whole way on real data: out/demo/report.html
#   make conformance  compare with live diffusers in a Python environment that it sets up
#   make bench      measure against the Python programs: docs/performance.md
#   make bench-micro  time attention, blocks, tokenizer, pictures and FID alone (libbenchmark-dev)
#   make docs       write docs/cli.md from the program's help
#   make format | tidy | clean
# DATADREAM_TORCH=DIR takes a LibTorch that is already there. JOBS=N limits the processes.
BUILD ?= build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
OUT ?= out/demo
DEMO_ARGS ?=
BENCH_ARGS ?=

export DATADREAM_TORCH

.PHONY: all setup configure build test demo conformance bench bench-micro docs format tidy clean
all: build

setup:
	@tools/setup

# CMake keeps the LibTorch it was given, so a change of mind must reach it.
configure: setup
	@if [ "$$(cat $(BUILD)/torch.choice 2>/dev/null)" != "torch $$DATADREAM_TORCH" ]; then \
	  cmake --preset release -B $(BUILD) -DDATADREAM_TORCH="$$DATADREAM_TORCH" && \
	  echo "torch $$DATADREAM_TORCH" > $(BUILD)/torch.choice; fi

build: configure
	@cmake --build $(BUILD) -j $(JOBS)

# LibTorch takes all cores in every process by default; tests that run side by side share them.
test: build
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

demo: build
	@tools/setup demo
	@$(BUILD)/datadream run --out $(OUT) $(DEMO_ARGS)
	@echo "The report is $(OUT)/report.html"

conformance: build
	@tools/oracle/conformance $(BUILD)

bench: build
	@bench/run --program $(BUILD)/datadream $(BENCH_ARGS)

bench-micro: configure
	@cmake -B $(BUILD) -DDATADREAM_BENCH=ON >/dev/null
	@cmake --build $(BUILD) -j $(JOBS) --target datadream_micro
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BUILD)/bench/micro/datadream_micro $(BENCH_ARGS)

docs: build
	@$(BUILD)/datadream help-markdown > docs/cli.md

format:
	@tools/ci format-fix

tidy:
	@tools/ci tidy

clean:
	rm -rf build build-* out
