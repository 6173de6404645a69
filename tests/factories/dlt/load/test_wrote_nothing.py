"""Which loads have left a resource's tables as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from factories.dlt.config.schema import DltResource
from factories.dlt.load.contracts import Refusals
from factories.dlt.load.load import LoadedResource
from factories.dlt.load.metadata import wrote_nothing

NOTHING = LoadedResource({"a": 0, "a__b": 0}, (), {}, None, 0.0, Refusals(), {}, None)


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        ("append", True),
        ("merge", True),
        ({"disposition": "merge", "strategy": "upsert"}, True),
        ({"disposition": "merge", "strategy": "delete-insert"}, True),
        ("replace", False),
        # Without a row they retire, or delete, those that are there.
        ({"disposition": "merge", "strategy": "scd2"}, False),
        ({"disposition": "merge", "strategy": "cdc"}, False),
    ],
)
def test_a_load_without_rows(disposition: Any, *, expected: bool) -> None:
    settings = DltResource.model_validate({"write_disposition": disposition})
    assert wrote_nothing(settings, NOTHING) is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": {"a": 1}},
        {"rows": {"a": 0, "a__b": 1}},
        {"new_tables": ["a"]},
        {"new_columns": {"a": {"c": "text"}}},
        {"is_replaced": True},
        {"attempt": 2},
    ],
)
def test_a_load_that_may_have_changed_something(changes: dict[str, Any]) -> None:
    settings = DltResource.model_validate({"write_disposition": "append"})
    assert not wrote_nothing(settings, replace(NOTHING, **changes))
