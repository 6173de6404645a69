#!/usr/bin/env bash
# Puts the key pair of $SNOWFLAKE_PRIVATE_KEY into a file that the runner deletes after the job, and
# tells the later steps where it lies. `printf` is the shell's own: no process has the key as argument.
set -euo pipefail
[ -n "${SNOWFLAKE_PRIVATE_KEY:-}" ] || exit 0
umask 077
printf '%s\n' "$SNOWFLAKE_PRIVATE_KEY" >"$RUNNER_TEMP/snowflake.p8"
echo "SNOWFLAKE_PRIVATE_KEY_PATH=$RUNNER_TEMP/snowflake.p8" >>"$GITHUB_ENV"
