# Needs Python 3.10 or newer, make and a package index. `make demo` first, then `make test`.
PYTHON ?= python3
BIN := .venv/bin
PACKAGES := libs/crosswalk libs/salesforce-client libs/sweo-client libs/singer-runtime \
	tap-salesforce target-salesforce tap-sweo target-sweo mapper-sweo sweo-sync sandbox
SOURCES := sandbox/sweo_sandbox demo bench \
	$(foreach package,$(filter-out sandbox,$(PACKAGES)),$(package)/$(subst -,_,$(notdir $(package))))
SEEDS ?= 200

.PHONY: help setup demo test test-outside simulate lint bench sandbox constraints clean

help:  ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.ready  ## the environment, with every package as it stands here

.venv/.ready: constraints.txt pyproject.toml $(addsuffix /pyproject.toml,$(PACKAGES))
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed" if sys.version_info < (3, 10) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv -c constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt --group dev
	touch $@

demo: setup  ## both pipelines on a sandbox of this machine, and what they did
	$(BIN)/python -m demo

test: setup lint  ## lint, types, layers, every test
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-outside: setup  ## clients that nobody here wrote, each in an environment of its own
	OUTSIDE_CLIENTS=1 $(BIN)/python -m pytest tests/outside --timeout=900

simulate: setup  ## the whole system under faults: SEEDS=1000, or SEED=42 to replay one life
	cd tests && ../$(BIN)/python -m simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

bench: setup  ## speed and memory beside a stock singer-sdk pipeline
	$(BIN)/python -m bench $(if $(QUICK),--quick)
	$(BIN)/python -m bench.sandbox

sandbox: setup  ## a Salesforce org and a Sweo workspace on this machine
	$(BIN)/sweo-sandbox serve

constraints:  ## pin every version anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate --no-emit-index-url \
		--upgrade --group dev pyproject.toml | grep -v '^-e ' > constraints.txt.new
	mv constraints.txt.new constraints.txt

clean:  ## everything that was made here
	rm -rf .venv .venv-outside .meltano .sandbox ledger .mypy_cache .ruff_cache .pytest_cache
