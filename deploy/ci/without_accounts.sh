#!/usr/bin/env bash
# without_accounts.sh BASE: what a pull request runs after its checks, on a laptop. `make ci` calls it.
set -euo pipefail
dp=.venvs/host/bin/dp
"$dp" changed --base "$1"
"$dp" plan --base "$1" --markdown
cat <<'SKIPPED'
skipped, comment: the plan is posted on a pull request by its workflow, with GitHub's token
skipped, databases: a clone of production's databases needs an account of Snowflake
skipped, dbt: the build of what is modified needs these databases, and production's manifest
skipped, branch-deployment: it needs Dagster+, and a registry for the image
SKIPPED
