#!/bin/sh
# environment.sh NAME FOLDER: makes the environment FOLDER/.venvs/NAME from constraints/NAME.txt, each
# package by its hash.
set -eu

command -v uv >/dev/null ||
  pip install --quiet --no-cache-dir --require-hashes --requirement constraints/uv.txt
uv venv --quiet --python python3.11 "$2/.venvs/$1"
uv pip sync --quiet --require-hashes --python "$2/.venvs/$1" "constraints/$1.txt"
