#!/usr/bin/env bash
# Puts the key pair of $SNOWFLAKE_PRIVATE_KEY into a file that the runner deletes after the job, and
# tells the later steps where it lies; without one, that there is none: an earlier step's is another
# user's. `printf` is the shell's own: no process has the key as an argument.
set -euo pipefail
umask 077
file=${SNOWFLAKE_PRIVATE_KEY:+$RUNNER_TEMP/snowflake.p8}
[ -z "$file" ] || printf '%s\n' "$SNOWFLAKE_PRIVATE_KEY" >"$file"
echo "SNOWFLAKE_PRIVATE_KEY_PATH=$file" >>"$GITHUB_ENV"
