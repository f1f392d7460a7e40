# Everything runs in .venv, made from the pins in pyproject.toml and envs/constraints.txt.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
VENV := .venv
STAMP := $(VENV)/.installed

.PHONY: demo test bench lint docs clean
.DEFAULT_GOAL := demo

$(STAMP): pyproject.toml envs/constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"tagalign needs Python 3.11 or later, $(PYTHON) is {v[0]}.{v[1]}; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint envs/constraints.txt --editable '.[workflow,dev]'
	@touch $@

demo: $(STAMP)
	$(VENV)/bin/snakemake --cores $(CORES) --quiet rules --set-threads train=1 task=1 --configfile config/demo.yaml
	@echo "Table, figures and report: results/demo"

test: $(STAMP)
	$(VENV)/bin/python -m pytest -n $(CORES)

bench: $(STAMP)
	$(VENV)/bin/python tests/benchmarks/run.py

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check workflow
	$(VENV)/bin/snakemake --lint

docs: $(STAMP)
	$(VENV)/bin/python -m tagalign.config.table config/README.md

clean:
	rm -rf results .snakemake
