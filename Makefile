# Everything runs in .venv, made from pyproject.toml with the versions of envs/constraints.txt.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
# What pip installs as PyTorch on Linux brings CUDA, some 3 GB. For a machine without a GPU:
#   make demo TORCH=cpu TORCH_INDEX=ADDRESS
# with the address of the CPU wheels that https://pytorch.org/get-started/locally/ shows.
TORCH ?= default
TORCH_INDEX ?=
VENV := .venv
STAMP := $(VENV)/.installed
PIP := $(VENV)/bin/python -m pip install --constraint envs/constraints.txt

.PHONY: demo test test-all quick bench lint docs clean
.DEFAULT_GOAL := demo

define CHECK_PYTHON
import sys
if not (3, 11) <= sys.version_info < (3, 14) or sys.platform not in ("linux", "darwin"):
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(
        f"tagalign runs with Python 3.11 to 3.13 on Linux and macOS; this is Python {version} on"
        f" {sys.platform}. With another one installed: make PYTHON=python3.11"
    )
endef
export CHECK_PYTHON

$(STAMP): pyproject.toml envs/constraints.txt
	@$(PYTHON) -c "$$CHECK_PYTHON"
	@test "$(TORCH)" != cpu || test -n "$(TORCH_INDEX)" || { echo "TORCH=cpu needs TORCH_INDEX=ADDRESS, the address of PyTorch's CPU wheels: choose Linux, Pip, CPU at https://pytorch.org/get-started/locally/" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
ifeq ($(TORCH),cpu)
	$(PIP) --index-url "$(TORCH_INDEX)" torch
endif
	$(PIP) --editable '.[workflow,dev]'
	@touch $@

demo: $(STAMP)
	$(VENV)/bin/snakemake --cores $(CORES) --quiet rules --set-threads train=1 task=1 --configfile config/demo.yaml
	@echo "Table, figures and report: results/demo"

test: $(STAMP)
	$(VENV)/bin/python -m pytest -n $(CORES) -m "not long"

# Also whole runs of the workflow, kills and schedulers; takes an hour on two cores.
test-all: $(STAMP)
	$(VENV)/bin/python -m pytest -n $(CORES)

# What is marked slow, runs of the workflow above all, is left out.
quick: $(STAMP)
	$(VENV)/bin/python -m pytest -n $(CORES) -m "not slow and not slurm and not gpu"

bench: $(STAMP)
	$(VENV)/bin/python tests/benchmarks/run.py

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check workflow
	$(VENV)/bin/mypy
	$(VENV)/bin/snakemake --lint

docs: $(STAMP)
	$(VENV)/bin/python -m tagalign.config.paper config/config.yaml
	$(VENV)/bin/python -m tagalign.config.table config/README.md
	$(VENV)/bin/python -m tagalign.provenance.file_table config/README.md

clean:
	rm -rf results .snakemake
