# Sets up its own virtual environment, once for each group of optional dependencies.
#   make test PYTHON=python3.12           another interpreter, 3.11 or newer (when .venv is made)
#   make test TORCH_INDEX=URL             take torch from this package index, such as one of CPU builds (when .venv is made)
#   make test CONSTRAINTS=FILE            hold pip to the versions in FILE
#   make test PIP_ARGS='...'              further arguments of pip install
#   make test PYTEST_ARGS='-x -k lasso'   further arguments of pytest
#   make test WORKERS=0                  in one process, such as for PYTEST_ARGS=--pdb
#   make test VENV=.venv-3.13 PYTHON=python3.13   another environment beside the first

PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?=
TORCH_INDEX ?=
PIP_ARGS ?=
PYTEST_ARGS ?=
WORKERS ?= logical
export MPLBACKEND ?= agg

RUN := $(VENV)/bin/python
INSTALL = $(RUN) -m pip install $(addprefix -c ,$(CONSTRAINTS)) $(PIP_ARGS)

# The sanitizers come before everything else, torch's C++ exceptions after them.
SANITIZED = $(CURDIR)/$(VENV)/sanitized
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=undefined -DONE_INSTRUCTION_SET
PRELOADED = $(foreach lib,libasan.so libstdc++.so,$(shell gcc -print-file-name=$(lib)))

define TRIAL
import numpy, skmlp
X = numpy.random.default_rng(0).normal(size=(60, 3))
model = skmlp.RegularizedMLPRegressor(solver="lbfgs", alpha=1, max_iter=1000).fit(X, X[:, 0])
assert model.score(X, X[:, 0]) > 0.9
skmlp.show_versions()
endef
export TRIAL

.PHONY: help .venv demo test test-oldest fuzz sanitize dist lint docs docs-gallery examples bench clean
.NOTPARALLEL:
.SECONDARY:

help:  ## list the targets
	@awk -F ':.*## ' '/^[.a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

.venv: $(VENV)/extra-dev  ## set up .venv for development

demo: $(VENV)/extra-demo  ## run the demonstration; its figure is examples/figures/demo.png
	$(RUN) examples/demo.py

test: export OMP_NUM_THREADS ?= 1
test: $(VENV)/extra-test  ## run the tests, on all cores
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

test-oldest:  ## run the tests with the oldest versions of dependencies that pyproject.toml allows
	$(MAKE) test VENV=.venv-oldest CONSTRAINTS=.ci/oldest.txt

fuzz: $(VENV)/extra-test  ## run the property-based tests on ten thousand cases
	$(RUN) -m pytest tests/properties --hypothesis-profile=many $(PYTEST_ARGS)

sanitize: $(VENV)/extra-test  ## run the engine's tests with the compiled loops under gcc's sanitizers
	rm -rf build $(SANITIZED)
	CC=gcc CFLAGS='$(SANITIZERS)' $(INSTALL) -q --no-deps --target $(SANITIZED) .
	rm -rf build
	test -n "$$(find $(SANITIZED) -name 'compiled.*')"
	LD_PRELOAD='$(PRELOADED)' ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc PYTHONPATH=$(SANITIZED) \
		$(RUN) -P -m pytest --capture=sys tests/engine $(PYTEST_ARGS)

dist: $(VENV)/extra-dev  ## build wheel and source distribution, check them and try the wheel in an environment of its own
	rm -rf build dist .venv-dist
	$(RUN) -m build
	$(RUN) -m twine check --strict dist/*
	$(PYTHON) -m venv .venv-dist
	.venv-dist/bin/python -m pip install $(addprefix -c ,$(CONSTRAINTS)) $(PIP_ARGS) dist/*.whl
	cd dist && ../.venv-dist/bin/python -W error -c "$$TRIAL"

lint: $(VENV)/extra-dev  ## check the code's style and format
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check

docs: $(VENV)/extra-docs  ## build the site, docs/_build/html, with the figures that are there
	$(RUN) -m sphinx -W --keep-going -b html docs docs/_build/html

docs-gallery: demo examples docs  ## run every example, and build the site with the new figures

examples: $(VENV)/extra-examples  ## run every example; figures go to examples/figures
	set -e; for file in examples/plot_*.py; do echo "$$file"; $(RUN) "$$file"; done

bench: $(VENV)/extra-bench  ## run every benchmark
	set -e; for file in $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py)); do echo "$$file"; $(RUN) "$$file"; done

clean:  ## remove .venv and whatever tools leave behind
	rm -rf .venv .venv-* .hypothesis build dist *.egg-info .pytest_cache .ruff_cache docs/_build docs/auto_examples docs/api/generated
	rm -f skmlp/engine/kernels/compiled.*.so skmlp/engine/kernels/compiled.*.pyd
	find skmlp tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/made:
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),$(INSTALL) --index-url $(TORCH_INDEX) torch)
	@touch $@

$(VENV)/extra-%: $(VENV)/made pyproject.toml setup.cfg setup.py $(wildcard skmlp/engine/kernels/*.c skmlp/engine/kernels/*.inc)
	$(INSTALL) -e '.[$*]'
	@touch $@
