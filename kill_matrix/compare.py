"""Compares a table with what it must hold."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What a table lacks, and what it has too much of.

    Attributes:
        lost: Rows that it should hold and does not.
        doubled: Rows that it holds beyond those that it should.
        same: Whether the counts and the checksums agree.
    """

    lost: int
    doubled: int
    same: bool


def as_text(rows: Iterable[Sequence[object]]) -> list[Row]:
    """Return rows in an order of their own, each value as text."""
    return sorted(tuple("" if value is None else repr(value) for value in row) for row in rows)


def checksum(rows: Sequence[Row]) -> str:
    """Return a digest of all rows; they are in order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update("\x1f".join(row).encode() + b"\x1e")
    return f"{len(rows)} rows, {digest.hexdigest()[:16]}"


def compare(found: Sequence[Row], expected: Sequence[Row]) -> Difference:
    """Compare the rows of a table with those of a reference; a row may be there several times."""
    has, should = Counter(found), Counter(expected)
    return Difference(
        lost=(should - has).total(),
        doubled=(has - should).total(),
        same=checksum(found) == checksum(expected),
    )
