"""`python -P -m factories.dbt.select_nodes MANIFEST`: the nodes that selections of dbt name.

A process of its own: dbt's selector needs dbt, whose import a code location does not pay, and what
dbt says on standard output must not mix with the answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def select_nodes(manifest: Mapping[str, Any], select: str, exclude: str) -> dict[str, Any]:
    """Return the unique ids that a selection names, or why dbt refuses it."""
    from dagster_dbt.utils import select_unique_ids  # noqa: PLC0415 - imports dbt

    try:
        found = select_unique_ids(select, exclude, "", None, manifest)
    except Exception as error:  # noqa: BLE001 - dbt has a dozen kinds of them, and tells in their text
        lines = [line.strip() for line in str(error).splitlines()]
        said = [line for line in lines if line and line != "Runtime Error"]
        return {"refused": " ".join(said) or type(error).__name__}
    return {"nodes": sorted(found)}


def main() -> None:
    """Answer the selections of standard input, a JSON list of `[select, exclude]`.

    The answer is the last line of the output: what comes before it is dbt's.
    """
    manifest = json.loads(Path(sys.argv[1]).read_bytes())
    answers = [select_nodes(manifest, *selection) for selection in json.load(sys.stdin)]
    sys.stdout.write(f"\n{json.dumps(answers)}")


if __name__ == "__main__":
    main()
