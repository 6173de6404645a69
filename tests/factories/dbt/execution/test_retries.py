"""What dbt skips for a failure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from factories.dbt.execution.retries import nodes_skipped_by_failures

#   raw → a → c → d
#         b ↗       (and e, which reads nothing)
READS = {"a": ["raw"], "b": ["function.shop.twice"], "c": ["a", "b"], "d": ["c"], "e": []}
TESTS = {
    "of a": ("a", ["a"], False),
    "of a and b": ("a", ["a", "b"], False),
    "of d and e": ("d", ["d", "e"], False),
    "unit of c": ("c", ["c"], True),
    "of raw": ("raw", ["raw"], False),
}
MANIFEST: Any = SimpleNamespace(
    nodes={uid: SimpleNamespace(unique_id=uid, depends_on=deps) for uid, deps in READS.items()},
    tests={
        uid: SimpleNamespace(subject=subject, reads=reads, is_unit=is_unit)
        for uid, (subject, reads, is_unit) in TESTS.items()
    },
)


@pytest.mark.parametrize(
    ("failed", "held"),
    [
        ({"d"}, {"of d and e"}),
        ({"b"}, {"c", "d", "of a and b", "of d and e", "unit of c"}),
        ({"of a"}, {"c", "d", "of d and e", "unit of c"}),
        ({"of a and b"}, {"c", "d", "of d and e", "unit of c"}),
        ({"of d and e"}, set()),
        ({"unit of c"}, {"c", "d", "of d and e", "unit of c"}),
        ({"of raw"}, {"a", "c", "d", "of a", "of a and b", "of d and e", "unit of c"}),
        (set(), set()),
    ],
)
def test_failure_holds_back_what_dbt_skips_for_it(failed: set[str], held: set[str]) -> None:
    assert nodes_skipped_by_failures(MANIFEST, failed) == held
