# Every target makes what it needs: the environment lives in .venv, the book in _build. Start with `make help`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
SITE := _build/html
WORKERS ?= 2
LOWEST := .venv-lowest

# What tools keep for themselves stays inside the checkout, not in the home folder.
VAR := $(CURDIR)/$(VENV)/var
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export XDG_CACHE_HOME := $(VAR)/cache
export XDG_CONFIG_HOME := $(VAR)/config
export XDG_DATA_HOME := $(VAR)/share
export MPLCONFIGDIR := $(VAR)/matplotlib
export IPYTHONDIR := $(VAR)/ipython
export JUPYTER_CONFIG_DIR := $(VAR)/jupyter/config
export JUPYTER_DATA_DIR := $(VAR)/jupyter/data
export JUPYTER_RUNTIME_DIR := $(VAR)/jupyter/runtime
export JUPYTERLAB_SETTINGS_DIR := $(VAR)/jupyter/lab/user-settings
export JUPYTERLAB_WORKSPACES_DIR := $(VAR)/jupyter/lab/workspaces
export CUDA_CACHE_PATH := $(VAR)/cuda
export TORCHINDUCTOR_CACHE_DIR := $(VAR)/inductor
export npm_config_cache := $(VAR)/npm
export PIP_NO_CACHE_DIR := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The kernel of this environment comes first; one that the user has registered under the same name does not hide it.
export JUPYTER_PREFER_ENV_PATH := 1
# Memory that torch frees stays with the process. Else Linux hands every large tensor out page by page, again in each
# step, and training on the CPU takes up to twice as long.
export MALLOC_MMAP_THRESHOLD_ := 4294967296
export MALLOC_TRIM_THRESHOLD_ := 8589934592
unexport JUPYTER_PATH PYTHONPATH PYTHONHOME
# pip compiles nothing here; Python keeps what it compiles, or importing torch costs each process six seconds more.
unexport PYTHONDONTWRITEBYTECODE

# $(call stage,name,command): say what is run, and at a failure which stage it was. No commas inside the command.
define stage
@printf '\n\033[1m== %s\033[0m\n' '$(1)'; start=$$SECONDS; \
if $(2); then echo "   $(1): passed in $$((SECONDS - start)) s"; \
else echo "make $@: FAILED in the stage '$(1)'" >&2; exit 1; fi
endef

PYTEST := $(PY) -m pytest --quiet
PACKAGE := --dist loadfile --doctest-modules tests fslbook --ignore tests/book/test_site.py
NBVAL := PYTHONPATH=tools $(PYTEST) -p nbseconds -o filterwarnings=default --nbval-lax --nbval-current-env \
	--nbval-cell-timeout=600 --nbval-sanitize-with tests/nbval.cfg --dist loadfile --no-loadscope-reorder
LONGEST_FIRST := $$($(PY) tools/affected.py all)

.PHONY: help book check test test-package test-wheel test-lowest test-gpu lab run bench clean distclean lint site

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

book: site ## Build the book and say where to open it
	@echo; echo "Open $(CURDIR)/$(SITE)/index.html"

check test test-package test-lowest run: export OMP_NUM_THREADS := 1

check: $(READY) lint ## The quick check while you work: no slow tests, and only notebooks that a change concerns
	$(call stage,quick package tests,$(PYTEST) -n $(WORKERS) $(PACKAGE) -m 'not slow')
	$(call stage,notebooks that a change concerns,$(PY) tools/affected.py | xargs -r env $(NBVAL) -n $(WORKERS))
	@echo; echo "The quick checks passed; make test is the whole truth."

test: $(READY) lint test-package ## Run every check: style, types, package, notebooks, the built site
	$(call stage,every notebook runs,$(NBVAL) -n $(WORKERS) $(LONGEST_FIRST))
	@$(MAKE) site
	$(call stage,pages of the site,$(PYTEST) tests/book/test_site.py)
	@echo; echo "All checks passed."

test-package: $(READY) ## The tests of the package alone, slow ones included
	$(call stage,package tests,$(PYTEST) -n $(WORKERS) $(PACKAGE))

test-wheel: export FSLBOOK_TEST_WHEEL := 1
test-wheel: $(READY) ## Build the wheel and try it where there is no checkout; not part of make test
	$(call stage,the installed package,$(PYTEST) tests/installed)

test-lowest: $(LOWEST)/.ready ## The same with the oldest libraries that pyproject.toml allows; not part of make test
	$(call stage,package tests on the lower bounds,$(LOWEST)/bin/python -m pytest --quiet -o filterwarnings=default \
		-n $(WORKERS) $(PACKAGE) --ignore tests/book --ignore tests/house)

test-gpu: export FSLBOOK_DEVICE := cuda
test-gpu: $(READY) ## The tests and every notebook on a CUDA GPU; fails where there is none
	$(call stage,a GPU,$(PY) -c 'import fslbook; print(fslbook.pick_device())')
	$(call stage,package tests on the GPU,$(PYTEST) $(PACKAGE))
	$(call stage,every notebook runs on the GPU,$(NBVAL) -n 1 $(LONGEST_FIRST))

lab: $(READY) ## Open the chapters in JupyterLab
	@exec $(PY) -m jupyterlab --notebook-dir=book $(LAB_ARGS)

run: $(READY) ## Run all notebooks in place and store their outputs (NOTEBOOKS="book/x.ipynb" for some)
	$(call stage,format,ruff check --quiet --fix-only book && ruff format --quiet book)
	$(call stage,exercises from solutions,$(PY) tools/exercises.py)
	$(call stage,rows from the ledger,$(PY) tools/results.py)
	$(call stage,reference and README,$(PY) tools/reference.py && $(PY) tools/readme.py)
	$(call stage,run,$(PY) tools/notebooks.py run $(NOTEBOOKS))

bench: $(READY) ## Measure the speed of the package
	$(call stage,benchmarks,$(PY) benchmarks/run.py $(BENCH_ARGS))

clean: ## Remove the built book and the caches of the tools
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis

distclean: clean ## Remove the environments as well
	rm -rf $(VENV) $(LOWEST) *.egg-info

lint: $(READY)
	$(call stage,lint,ruff check .)
	$(call stage,format,ruff format --check .)
	$(call stage,imports,lint-imports --no-cache --no-logo)
	$(call stage,types,$(PY) -m mypy fslbook tools)
	$(call stage,notebooks on paper,$(PY) tools/notebooks.py check)

# Doctrees are thrown away first: Sphinx repeats no warning about a page that it has no need to read again.
site: $(READY)
	@rm -rf _build/html _build/.doctrees
	$(call stage,build the book,jupyter-book build -W --keep-going --quiet .)
	$(call stage,every page is there,$(PY) tools/notebooks.py pages $(SITE))

# $(call venv,folder): a new virtual environment with the first Python that is young enough, or PYTHON=...
define venv
@python=''; for name in $${PYTHON:-} python3.11 python3.12 python3.13 python3; do \
if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
if [ -z "$$python" ]; then echo 'make: FAILED: the book needs Python 3.11 or later, found only' \
"$$(python3 --version 2>&1 || true); name another one with make PYTHON=..." >&2; exit 1; fi; \
echo "Preparing $(1) with $$($$python --version); this is done once and takes a few minutes."; \
[ -x $(1)/bin/python ] || $$python -m venv $(1) || { echo 'make: FAILED in the stage: create $(1)' \
'(Debian: apt install python3-venv)' >&2; rm -rf $(1); exit 1; }
endef

$(READY): requirements.txt pyproject.toml
	$(call venv,$(VENV))
	$(call stage,install requirements.txt and fslbook,$(PY) -m pip install --quiet --no-compile -r requirements.txt -e .)
	@mkdir -p $(VAR); touch $@

$(LOWEST)/.ready: requirements.txt pyproject.toml tools/lowest.py
	$(call venv,$(LOWEST))
	$(call stage,install the lower bounds,$(LOWEST)/bin/python tools/lowest.py > $(LOWEST)/requirements.txt && \
		$(LOWEST)/bin/python -m pip install --quiet --no-compile -r $(LOWEST)/requirements.txt -e .)
	@touch $@
