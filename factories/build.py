"""What a code location gathers while its factories read YAML."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from factories.automation import AutomationConditions
from factories.errors import Problem
from factories.warehouse import WarehouseNames


@dataclass(frozen=True, order=True)
class Origin:
    """The place in YAML that an asset comes from; line and column are 1-based."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass
class Build:
    """The inputs and the findings of one build of a code location's definitions.

    Attributes:
        root: The project folder.
        names: How the target's databases and schemas are called.
        conditions: The automation conditions that YAML may name.
        problems: Every mistake found so far; the caller raises them together.
        produced: Where each produced asset key comes from.
    """

    root: Path
    names: WarehouseNames
    conditions: AutomationConditions
    problems: list[Problem] = field(default_factory=list)
    produced: dict[dg.AssetKey, Origin] = field(default_factory=dict)

    def claim(self, key: dg.AssetKey, origin: Origin) -> None:
        """Note that an asset is produced; a second producer of the same key is a problem."""
        first = self.produced.setdefault(key, origin)
        if first is not origin:
            self.problems.append(twice(key, first, origin))


def twice(key: dg.AssetKey, first: Origin, second: Origin) -> Problem:
    """Return the problem of an asset key that two places produce."""
    message = (
        f"the asset key {key.to_user_string()} is produced here and at {first}:"
        " set asset_key on one of them"
    )
    return Problem(second.file, second.line, second.column, message)
