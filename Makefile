# Sets up its own virtual environment, once for each group of optional dependencies.
#   make test PYTHON=python3.12           another interpreter, 3.11 or newer (when .venv is made)
#   make test TORCH_INDEX=URL             take torch from this package index, such as one of CPU builds (when .venv is made)
#   make test CONSTRAINTS=FILE            hold pip to the versions in FILE
#   make test PIP_ARGS='...'              further arguments of pip install
#   make test PYTEST_ARGS='-x -k lasso'   further arguments of pytest

PYTHON ?= python3
CONSTRAINTS ?=
TORCH_INDEX ?=
PIP_ARGS ?=
PYTEST_ARGS ?=
export MPLBACKEND ?= agg

RUN := .venv/bin/python
INSTALL = $(RUN) -m pip install $(addprefix -c ,$(CONSTRAINTS)) $(PIP_ARGS)

# The sanitizers come before everything else, torch's C++ exceptions after them.
SANITIZED = $(CURDIR)/.venv/sanitized
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=undefined -DONE_INSTRUCTION_SET
PRELOADED = $(foreach lib,libasan.so libstdc++.so,$(shell gcc -print-file-name=$(lib)))

.PHONY: help .venv demo test sanitize lint examples bench clean
.NOTPARALLEL:
.SECONDARY:

help:  ## list the targets
	@awk -F ':.*## ' '/^[.a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

.venv: .venv/extra-dev  ## set up .venv for development

demo: .venv/extra-plot  ## run the demonstration; its figure is examples/figures/demo.png
	$(RUN) examples/demo.py

test: .venv/extra-test  ## run the tests
	$(RUN) -m pytest $(PYTEST_ARGS)

sanitize: .venv/extra-test  ## run the engine's tests with the compiled loops under gcc's sanitizers
	rm -rf build $(SANITIZED)
	CC=gcc CFLAGS='$(SANITIZERS)' $(INSTALL) -q --no-deps --target $(SANITIZED) .
	rm -rf build
	test -n "$$(find $(SANITIZED) -name 'compiled.*')"
	LD_PRELOAD='$(PRELOADED)' ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc PYTHONPATH=$(SANITIZED) \
		$(RUN) -P -m pytest --capture=sys tests/engine $(PYTEST_ARGS)

lint: .venv/extra-dev  ## check the code's style and format
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check

examples: .venv/extra-examples  ## run every example; figures go to examples/figures
	set -e; for file in examples/plot_*.py; do echo "$$file"; $(RUN) "$$file"; done

bench: .venv/extra-bench  ## run every benchmark
	set -e; for file in $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py)); do echo "$$file"; $(RUN) "$$file"; done

clean:  ## remove .venv and whatever tools leave behind
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache
	rm -f skmlp/engine/kernels/compiled.*.so skmlp/engine/kernels/compiled.*.pyd
	find skmlp tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +

.venv/made:
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(INSTALL) --index-url $(TORCH_INDEX) torch)
	@touch $@

.venv/extra-%: .venv/made pyproject.toml setup.cfg setup.py $(wildcard skmlp/engine/kernels/*.c skmlp/engine/kernels/*.inc)
	$(INSTALL) -e '.[$*]'
	@touch $@
