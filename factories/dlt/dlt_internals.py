"""The readers of a `filesystem` source, by the name that YAML gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dlt.sources.filesystem.readers import _read_csv, _read_jsonl, _read_parquet

# The functions under dlt's transformers, so that each file is read on its own. Without
# read_csv_duckdb, which fails with DuckDB 2 as of dlt 1.31.
READERS: Mapping[str, Callable[..., Iterator[Any]]] = {
    "read_csv": _read_csv,
    "read_jsonl": _read_jsonl,
    "read_parquet": _read_parquet,
}
