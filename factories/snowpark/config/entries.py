"""What an area's file describes, with nothing left to inherit or to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.warehouse.names import Relation
from factories.snowpark.config.schema import Direction, Kind, Mode, Promote, RunsIn, Split


@dataclass(frozen=True)
class Input:
    """One table that a function or a query reads.

    Attributes:
        key: The asset that it is.
        relation: The table, as the target's warehouse has it.
        whole: Whether a run of some partitions sees all of its rows.
    """

    key: dg.AssetKey
    relation: Relation
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What entries of all kinds have.

    Attributes:
        name: Its name in the file.
        kind: The list of the file that it stands in.
        area: The file's name, as the second part of the asset key has it.
        key: The asset that it makes.
        meta: Its `meta.dagster` block.
        path: The YAML file.
        line: 1-based line of the entry in the file.
        folder: The folder `snowpark/`, where functions are looked for first.
        description: What YAML says of it.
        function: `module:function`; None for a query.
        runs_in: Where the function runs; tables are always built in Snowflake.
        packages: What it needs inside Snowflake.
        warehouse: The virtual warehouse, None for the target's.
        code_version: Changes with the settings and the code that its rows or model depend on.
    """

    name: str
    kind: Kind
    area: str
    key: dg.AssetKey
    meta: DagsterMeta
    path: Path
    line: int
    folder: Path
    description: str | None
    function: str | None
    runs_in: RunsIn
    packages: tuple[str, ...]
    warehouse: str | None
    code_version: str


@dataclass(frozen=True, kw_only=True)
class TableEntry(Entry):
    """Features, or any other table.

    Attributes:
        inputs: What it reads, by the names that its function or query uses.
        relation: The table that it writes.
        mode: What happens to the rows that are there.
        keys: Columns that distinguish a row from all others; may be empty unless the mode is merge.
        sql: The query; None where a function makes the rows.
    """

    inputs: Mapping[str, Input]
    relation: Relation
    mode: Mode
    keys: tuple[str, ...]
    sql: str | None


@dataclass(frozen=True, kw_only=True)
class ModelEntry(Entry):
    """A model.

    Attributes:
        features: The table that it is trained on.
        target: The column that it predicts.
        split: Which rows are for training, validation and test.
        params: What its function takes.
        metrics: What is measured, and whether more is better.
        promote: When a new version becomes the champion.
        registry: The table of all versions of the area's models.
        stage: The stage of their files.
    """

    features: TableEntry
    target: str
    split: Split
    params: Mapping[str, Any]
    metrics: Mapping[str, Direction]
    promote: Promote | None
    registry: Relation
    stage: Relation


@dataclass(frozen=True, kw_only=True)
class ScoreEntry(Entry):
    """What a model says of each row of its features.

    Attributes:
        model: The model; its features are what is scored.
        version: Its version, None for the champion.
        relation: The table that is written: keys, value, `model_version` and `scored_at`.
        mode: `merge` or `overwrite`.
        keys: Columns of the features that distinguish a row from all others; never empty.
        column: The column that takes the value.
    """

    model: ModelEntry
    version: int | None
    relation: Relation
    mode: Mode
    keys: tuple[str, ...]
    column: str
