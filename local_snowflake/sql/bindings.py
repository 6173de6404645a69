"""The values that a client binds to the `?` of a statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Values = list[Any] | dict[str, Any]


@dataclass(frozen=True)
class Bindings:
    """The values bound to a statement.

    Attributes:
        rows: One set of values per execution: many when the client sent arrays (executemany).
        is_batch: Whether the client sent arrays; the row counts are then added up.
    """

    rows: tuple[Values | None, ...] = (None,)
    is_batch: bool = False


NO_BINDINGS = Bindings()
