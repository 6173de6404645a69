"""What runs with what: the functions that models call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from factories.dbt.execution.selection import read_functions


def test_functions_are_built_with_the_models_that_call_them() -> None:
    reads = {"a": ["raw"], "b": ["function.shop.twice"], "c": ["a", "b"]}
    manifest: Any = SimpleNamespace(
        nodes={uid: SimpleNamespace(depends_on=deps) for uid, deps in reads.items()}
    )
    assert read_functions(manifest, {"a", "of a"}) == set()
    assert read_functions(manifest, {"b", "c"}) == {"function.shop.twice"}
