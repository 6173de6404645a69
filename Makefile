SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
ENVS := host ingestion transformation ml
VENV := .venvs
UV := $(VENV)/uv/bin/uv
# A distribution's Python is compiled with optimizations; those of pyenv are not, and are a third slower.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3.11) 3.11)

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# uv is installed from the package index when the machine has none.
$(UV):
	@python3 -m venv $(VENV)/uv && $(VENV)/uv/bin/pip install --quiet --disable-pip-version-check -r constraints/uv.txt

# An environment is made anew when its pins or this project's metadata changed.
$(VENV)/%/.ready: constraints/%.txt pyproject.toml | $(UV)
	@echo "setting up $(VENV)/$*"
	@test -x $(VENV)/$*/bin/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)/$*
	@$(UV) pip sync --quiet --compile-bytecode --python $(VENV)/$* --require-hashes $<
	@$(UV) pip install --quiet --python $(VENV)/$* --no-deps -e .
	@touch $@

setup: $(ENVS:%=$(VENV)/%/.ready) ## make the environments, and parse the dbt project
	@$(VENV)/transformation/bin/python -m factories.dbt.prepare dbt_project

run: setup ## load and build everything: the main job
	@$(VENV)/host/bin/dp run

dev: setup ## the Dagster UI on 127.0.0.1:3000
	@$(VENV)/host/bin/dp dev

check: setup ## validate every YAML file and the asset graph
	@$(VENV)/host/bin/dp check

lint: $(VENV)/test/.ready
	@$(VENV)/test/bin/ruff check .
	@$(VENV)/test/bin/ruff format --check .
	@$(VENV)/test/bin/mypy
	@$(VENV)/test/bin/lint-imports
	@$(VENV)/test/bin/actionlint
	@$(VENV)/test/bin/zizmor --offline --quiet .github
	@$(VENV)/test/bin/hadolint deploy/image/Containerfile

# Each of the many processes that tests start would compile these again where Python may not write.
bytecode: $(VENV)/test/.ready
	@$(VENV)/test/bin/python -m compileall -q code_locations factories local_snowflake sample_sources

# Three processes for two cores: many tests wait for a program.
PYTEST := $(VENV)/test/bin/pytest -n 3 --dist loadgroup

test: setup bytecode ## lint, types and every test
	@$(MAKE) --no-print-directory -j2 lint tests

tests: $(VENV)/test/.ready
	@$(PYTEST)

# What the change is for: `make ci BASE=origin/main`.
BASE ?= main

ci: test check ## what a pull request runs, as far as that needs no account
	@deploy/ci/without_accounts.sh $(BASE)

test-fast: $(VENV)/test/.ready ## the tests that start no program
	@$(PYTEST) -q -m "not programs"

bench: setup $(VENV)/test/.ready ## measure what is promised, into benchmarks/results/
	@$(VENV)/test/bin/python -m benchmarks

kill-matrix: setup $(VENV)/test/.ready ## kill each process in mid-work and run again (over half an hour), into docs/reference/
	@$(VENV)/test/bin/python -m kill_matrix

automation-story: setup $(VENV)/test/.ready ## let the real daemon run two code locations, and disturb it (ten minutes)
	@$(VENV)/test/bin/python -m automation_story

demo-story: setup $(VENV)/test/.ready ## let the real daemon run the whole demo, and kill what it runs on (twenty minutes)
	@$(VENV)/test/bin/python -m automation_story demo

lock: | $(UV) ## rebuild constraints/ from pyproject.toml
	@for env in $(ENVS) dagster test; do \
	  $(UV) pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --universal \
	    --extra $$env --extra production pyproject.toml -o constraints/$$env.txt; done
	@echo uv | $(UV) pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --universal - -o constraints/uv.txt

clean: ## remove environments and local data
	@if test -x $(VENV)/host/bin/dp; then for system in local sample; do \
	  $(VENV)/host/bin/dp $$system down || echo "$$system could not be stopped"; done; fi
	@rm -rf $(VENV) .local

.PHONY: help setup run dev check lint bytecode test tests ci test-fast lock bench kill-matrix automation-story demo-story clean
