"""How the tables of a disturbed load are compared with those of an undisturbed one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from kill_matrix.compare import Difference, as_text, checksum, compare

ROWS = [(1, "a", None), (2, "b", Decimal("1.50")), (3, "c", datetime(2024, 1, 1))]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (ROWS[::-1], Difference(lost=0, doubled=0, same=True)),
        (ROWS[:2], Difference(lost=1, doubled=0, same=False)),
        ([*ROWS, ROWS[0], ROWS[0]], Difference(lost=0, doubled=2, same=False)),
        ([*ROWS[:2], (3, "old", None)], Difference(lost=1, doubled=1, same=False)),
        ([], Difference(lost=3, doubled=0, same=False)),
    ],
    ids=["in another order", "lost", "doubled", "with old values", "empty"],
)
def test_rows_are_told_apart(found: list[tuple[object, ...]], expected: Difference) -> None:
    assert compare(as_text(found), as_text(ROWS)) == expected


def test_rows_that_were_there_twice_must_be_there_twice() -> None:
    assert compare(as_text(ROWS), as_text([*ROWS, ROWS[1]])) == Difference(1, 0, same=False)


def test_checksum_tells_a_null_from_a_text_and_one_column_from_the_next() -> None:
    rows = [[(None,)], [("",)], [("None",)], [("a", "b")], [("ab", "")], [("a",), ("b",)]]

    assert len({checksum(as_text(each)) for each in rows}) == len(rows)
