# The commands of the project. Each of them sets up .venv from nothing if it must:
# only Python 3.11 or newer, a C compiler and make have to be there.
#
#   make train              open the dashboard, training breakout
#   make test               all tests and checks
#   make train TORCH=cpu    the same with the small torch build for machines without an NVIDIA card

PYTHONS := python3 python3.14 python3.13 python3.12 python3.11
PYTHON ?= $(shell for python in $(PYTHONS); do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
TORCH ?= default
INDEX_cpu := --extra-index-url https://download.pytorch.org/whl/cpu

BIN := .venv/bin
READY := .venv/.pufftui-ready
C_FILES := $(shell find pufftui envs trainer tests benchmarks -name '*.[ch]')
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help train test slow build format bench clean

help:
	@echo 'make train    open the dashboard, training breakout'
	@echo 'make test     run all tests and checks'
	@echo 'make slow     run the tests that take minutes: trains every game anew, for an hour or more'
	@echo 'make bench    measure the speed of the environments and of training'
	@echo 'make format   format all sources'
	@echo 'make build    set up .venv and compile what changed'
	@echo 'make clean    remove what was built; .venv and runs stay'

train: $(READY)
	@$(BIN)/pufftui train breakout

# Python keeps what it compiled, even where it is told not to: each program that a test starts would do it again.
test: $(READY)
	@$(ADD_TRITON)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

slow: $(READY)
	@$(BIN)/python -m pytest -m slow -o faulthandler_timeout=1800

bench: $(READY)
	@$(BIN)/pufftui bench

build: $(READY)

format: $(READY)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .
	@$(BIN)/clang-format -i $(C_FILES)

clean:
	rm -rf build dist .import_linter_cache .hypothesis snapshot_report.html
	find pufftui envs trainer themes tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# The stamp is older than what it was made from: install again. pip is quick when nothing is missing.
$(READY): pyproject.toml constraints.txt CMakeLists.txt $(filter-out tests/% benchmarks/%,$(C_FILES))
	@$(call require,$(CHECK_COMPILER),$(NEED_COMPILER))
	@$(BIN)/python -c 'import pip' 2>/dev/null || { \
		{ $(call require,test -n "$(PYTHON)",$(NEED_PYTHON)); } && \
		{ $(call require,$(PYTHON) -c 'import ensurepip$(comma) venv' 2>/dev/null,$(NEED_VENV)); } && \
		echo 'Setting up .venv; the first time takes a few minutes.' && \
		{ $(SUGGEST_CPU); } && \
		$(PYTHON) -m venv --clear .venv; }
	@$(PIP) install $(if $(wildcard $(READY)),--quiet) -c constraints.txt scikit-build-core cmake ninja
	@$(PIP) install $(if $(wildcard $(READY)),--quiet) -c constraints.txt $(INDEX_$(TORCH)) --no-build-isolation -e '.[test]'
	@touch $@

# The kernels for a GPU are tested without one; torch brings Triton only with its CUDA build.
ADD_TRITON = test "$$(uname)" != Linux || $(BIN)/python -c 'import triton.language' 2>/dev/null || \
	$(PIP) install --quiet -c constraints.txt triton || echo 'The kernels for a GPU stay untested.'

comma := ,
# $(call require,command,message): runs the command; if it fails, says the message and stops.
require = $(1) || { printf '%s\n' $(2) >&2; exit 1; }

CHECK_COMPILER = for compiler in "$$CC" cc gcc clang; do \
	test -n "$$compiler" && printf '\043include <stdlib.h>\nint main(void) { return 0; }\n' | \
	$$compiler -x c - -o /dev/null 2>/dev/null && break; done
NEED_COMPILER = 'pufftui needs a C compiler. Install one:' \
	'  Debian, Ubuntu:  sudo apt install build-essential' \
	'  Fedora:          sudo dnf install gcc' \
	'  Arch:            sudo pacman -S gcc' \
	'  macOS:           xcode-select --install'
NEED_PYTHON = 'pufftui needs Python 3.11 or newer. Install it:' \
	'  Debian, Ubuntu:  sudo apt install python3 python3-venv' \
	'  Fedora:          sudo dnf install python3' \
	'  Arch:            sudo pacman -S python' \
	'  macOS:           brew install python' \
	'or name one that is there: make train PYTHON=/path/to/python3.12'
NEED_VENV = 'This Python cannot make virtual environments. Install what is missing:' \
	'  Debian, Ubuntu:  sudo apt install python3-venv' \
	'or name another Python: make train PYTHON=/path/to/python3.12'
SUGGEST_CPU = test "$(TORCH)" = cpu || test "$$(uname)" != Linux || command -v nvidia-smi >/dev/null || \
	echo 'No NVIDIA card was found: "make train TORCH=cpu" downloads far less than the CUDA build of torch.'
