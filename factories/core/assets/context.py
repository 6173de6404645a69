"""The state of loading one code location: its inputs, and what its factories found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.meta.keys import RESERVED
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.problems import Problem

# The metadata of a location's definitions that says what it reads: more than its assets depend on.
READS = "dp/reads"
# The one that says of which assets' tables its checks read.
CHECK_READS = "dp/check_reads"
# The one that says which jobs of other locations it waits for.
JOB_READS = "dp/job_reads"


@dataclass(frozen=True, order=True)
class Origin:
    """The place in YAML that an asset comes from; line and column are 1-based.

    Both are 0 where the file as a whole is meant.
    """

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass
class LoadContext:
    """The inputs and findings of loading one code location.

    Attributes:
        root: The project folder.
        names: The names of the target's databases and schemas.
        conditions: The automation conditions that YAML may name.
        problems: Every mistake found so far; the caller raises them together.
        produced: Where each produced asset key comes from.
        tables: Where each table that is loaded comes from, by its name in the warehouse.
        outputs: What each output of a step is, by the file or project and Dagster's name of it.
        jobs: The jobs that belong to assets.
        reads: Where each asset is declared that something else has to produce.
        check_reads: The assets whose tables checks read, each with the places that name it.
        job_reads: Where each job of another location is named, as `location/job`.
        dbt_models: The assets of each dbt project, by its folder and dbt's unique ids.
    """

    root: Path
    names: WarehouseNames
    conditions: AutomationConditions
    problems: list[Problem] = field(default_factory=list)
    produced: dict[dg.AssetKey, Origin] = field(default_factory=dict)
    tables: dict[str, Origin] = field(default_factory=dict)
    outputs: dict[tuple[str, str], str] = field(default_factory=dict)
    jobs: list[dg.JobDefinition] = field(default_factory=list)
    reads: dict[dg.AssetKey, Origin] = field(default_factory=dict)
    check_reads: dict[tuple[dg.AssetKey, Origin], None] = field(default_factory=dict)
    job_reads: dict[str, Origin] = field(default_factory=dict)
    dbt_models: dict[Path, dict[str, dg.AssetKey]] = field(default_factory=dict)

    def claim(
        self,
        key: dg.AssetKey,
        table: str,
        origin: Origin,
        *,
        checks: Iterable[str] = (),
        project: str | None = None,
    ) -> None:
        """Record that an asset is produced, and the table that it loads.

        A second producer of the key, or of the table under another key, is a problem: each would
        overwrite what the other loaded. So are two assets or checks that one step could not tell
        apart.

        Args:
            key: The asset.
            table: Its table.
            origin: Where it is declared.
            checks: The names of its checks.
            project: What shares its steps, where that is more than the file.
        """
        of_table = self.tables.setdefault(table, origin)
        of_key = self.produced.setdefault(key, origin)
        if of_table is not origin:
            message = f"the table {table} is loaded here and at {of_table}: name another table"
            self.problems.append(Problem(origin.file, origin.line, origin.column, message))
        elif of_key is not origin:
            self.problems.append(duplicate_key_problem(key, of_key, origin))
        else:
            self._claim_outputs(key, checks, origin, project or origin.file)

    def _claim_outputs(
        self, key: dg.AssetKey, checks: Iterable[str], origin: Origin, step: str
    ) -> None:
        """Report what would have the name of another output of the step, or none that is allowed.

        Dagster names them by the key's parts, with `_` for every character that is no letter.
        """
        identifier, text = key.to_python_identifier(), key.to_user_string()
        if identifier in RESERVED:
            message = f"the asset key {text} is a word of Dagster or Python: set another asset_key"
            self.problems.append(Problem(origin.file, origin.line, origin.column, message))
        found = {identifier: f"the asset {text}"}
        found |= {f"{identifier}_{name}": f"the check {name} of {text}" for name in checks}
        for name, what in found.items():
            other = self.outputs.setdefault((step, name), what)
            if other != what:
                message = f"{what} and {other} have one name to Dagster: set another asset_key"
                self.problems.append(Problem(origin.file, origin.line, origin.column, message))
                return


def duplicate_key_problem(
    key: dg.AssetKey, first: Origin, second: Origin, remedy: str = "set asset_key on one of them"
) -> Problem:
    """Return the problem of an asset key that two places produce; YAML has `asset_key` for it."""
    message = f"the asset key {key.to_user_string()} is produced here and at {first}: {remedy}"
    return Problem(second.file, second.line, second.column, message)
