#!/usr/bin/env bash
# Lets pyproject.toml allow newer versions than those it pins; `make lock` then takes the newest that
# fit each other. For a try: what it writes is not to be committed.
set -euo pipefail
sed --in-place --regexp-extended '/^(dependencies|[a-z0-9-]+) = \[/,/^\]/ s/"([A-Za-z0-9_.-]+(\[[a-z0-9,_-]+\])?)==/"\1>=/' pyproject.toml
