# SPDX-License-Identifier: MIT
# A thin front for meson and ninja: `make help`.
BUILD ?= build
ASAN = $(BUILD)-asan
MESON_FLAGS ?=
PREFIX ?= /usr/local
export PYTHONDONTWRITEBYTECODE = 1

.PHONY: all build demo test check sim soak mutants lint bench matrix install uninstall clean help
.DEFAULT_GOAL := build
all: build

help:
	@echo "make            build into $(BUILD)/; installs missing build packages first (Debian, Ubuntu)"
	@echo "make demo       the lab of the README in a network namespace of its own, two minutes"
	@echo "make tour       TCP/IP in six lessons, in English and Chinese: LESSON=\"3 zh\""
	@echo "make test       all tests: unit and simulation with ASan and UBSan, real programs in namespaces"
	@echo "make test-programs  thirty programs, each role on Glass: docs/programs.md (root; ten minutes). PROGRAMS=\"curl nginx\""
	@echo "make test-python  CPython's own network tests on the kernel's stack and on Glass: docs/compat.md (root; half an hour). MODULES=test_socket"
	@echo "make sim        two stacks over a bad wire: SEEDS=1000 of them, or SEED=n with its trace; RING=file saves that for glass report --ring"
	@echo "make soak       the same until it is stopped, on all processors"
	@echo "make mutants    plants bugs one by one into a copy of the tree: do the tests find them?"
	@echo "make lint       format, include direction, tables, clang-tidy, cppcheck, shellcheck"
	@echo "make bench      bulk and round trips, next to the kernel's own in the same run"
	@echo "make matrix     what the standards demand, seen from outside: Glass and the kernel, into docs/rfc/results.md"
	@echo "make bench-link Glass and the kernel over the same bad networks: docs/measured/link.md (root; half an hour)"
	@echo "make bench-programs  nginx under wrk, redis under redis-benchmark, on both: docs/measured/programs.md (root; five minutes)"
	@echo "make bench-trace  what looking costs: docs/measured/trace.md (root; ten minutes)"
	@echo "make install    into PREFIX (/usr/local)"
	@echo "make clean      removes the build folders"

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet
	@echo "built: $(BUILD)/src/ctl/glass, $(BUILD)/src/daemon/glassd. Next: make demo"

# Without the tests, which take longer than everything else and need cmocka: tools/test switches them on.
$(BUILD)/build.ninja:
	@tools/setup build
	@meson setup $(BUILD) --prefix=$(PREFIX) --libdir=lib -Dtests=false $(MESON_FLAGS) >/dev/null || \
		{ cat $(BUILD)/meson-logs/meson-log.txt >&2; exit 1; }

demo: build
	@tools/setup demo
	@BUILD=$(BUILD) tools/demo.sh

.PHONY: tour
tour: build
	@BUILD=$(BUILD) tools/tour $(LESSON)

test check: $(BUILD)/build.ninja
	@tools/setup build test
	@tools/test $(BUILD) $(ASAN)

.PHONY: test-programs
test-programs: build
	@tools/setup build test programs
	@GLASS_BUILD=$(abspath $(BUILD)) tests/programs/run.sh $(PROGRAMS)

.PHONY: test-python
test-python: build
	@tools/setup build test python
	@GLASS_BUILD=$(abspath $(BUILD)) tests/python/run.sh $(MODULES)

SEED ?=
SEEDS ?= 1000
FIRST ?= 1
$(BUILD)/tests/sim/test_seeds: $(BUILD)/build.ninja FORCE
	@tools/setup build test
	@ninja -C $(BUILD) --quiet tests/sim/test_seeds 2>/dev/null || \
		{ meson configure $(BUILD) -Dtests=true >/dev/null && ninja -C $(BUILD) --quiet $(@:$(BUILD)/%=%); }

FORCE:

sim: $(BUILD)/tests/sim/test_seeds
	@$(if $(RING),SIM_RING=$(RING)) $< $(if $(SEED),-s $(SEED),-f $(FIRST) -n $(SEEDS))

# Seeds that nobody has played yet: from the time of day on.
soak: $(BUILD)/tests/sim/test_seeds
	@$< -S -f $$(date +%s)000000

mutants:
	@tools/setup build test
	@tools/mutants $(MUTANT)

lint: $(BUILD)/build.ninja
	@tools/setup build lint
	@tools/lint $(BUILD)

bench: build
	@tools/setup bench
	@BUILD=$(BUILD) bench/bulk.sh

matrix: build
	@tools/setup test
	@GLASS_BUILD=$(abspath $(BUILD)) tests/matrix/run.sh

.PHONY: bench-link
bench-link: build
	@tools/setup bench
	@BUILD=$(BUILD) bench/link.py --write docs/measured/link.md

.PHONY: bench-programs
bench-programs: build
	@tools/setup bench
	@BUILD=$(BUILD) bench/programs.py --write docs/measured/programs.md

.PHONY: bench-trace
bench-trace: build
	@tools/setup bench
	@meson setup $(BUILD)-bare -Dtests=false -Dtracing=false >/dev/null 2>&1 || true
	@ninja -C $(BUILD)-bare --quiet src/daemon/glassd
	@BUILD=$(BUILD) bench/trace.py --bare $(BUILD)-bare/src/daemon/glassd --write docs/measured/trace.md

install: build
	@meson install -C $(BUILD) --no-rebuild
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi # for LD_PRELOAD=libglass-preload.so

uninstall:
	ninja -C $(BUILD) uninstall

clean:
	rm -rf $(BUILD) $(ASAN)
