"""What must hold between the settings of an entry, and between entries of one file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.yaml.models import SourceMap
from factories.core.yaml.problems import Problem, nearest
from factories.snowpark.config.check_specs import DRIFT
from factories.snowpark.config.schema import FeatureItem, ModelItem, ScoreItem, TableItem
from factories.snowpark.in_snowflake.metric_names import METRICS

PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
SCORE_COLUMNS = ("model_version", "scored_at")
BLOCK = ("meta", "dagster")
_Report = Callable[..., None]


def build_reporter(places: SourceMap, problems: list[Problem]) -> _Report:
    """Return what notes a problem at a path of an entry."""

    def report(path: Sequence[str | int], message: str, **details: Any) -> None:
        problems.append(places.problem(path, message, **{"at_key": not path, **details}))

    return report


def check_table(item: FeatureItem | TableItem, meta: DagsterMeta, report: _Report) -> None:
    """Report what would make a table wrong."""
    if item.output.mode == "merge" and not item.output.keys:
        report(["output", "mode"], "mode: merge needs keys")
    if isinstance(item, TableItem):
        _check_query(item, report)
    _check_partition(meta, item.output.mode, report)


def _check_query(item: TableItem, report: _Report) -> None:
    if item.function is not None and item.sql is not None:
        report(["sql"], "give function or sql, not both", at_key=True)
    elif item.sql is None:
        if item.function is None:
            report([], "give function or sql")
        return
    used = PLACEHOLDER.findall(item.sql or "")
    for name in dict.fromkeys(used):
        if name not in item.inputs:
            near = nearest(name, item.inputs)
            message = f"sql: {{{name}}} is not among the inputs"
            report(["sql"], message, allowed=tuple(item.inputs), nearest=near)
    if item.function is None:
        for name in item.inputs:
            if name not in used:
                report(["inputs", name], f"inputs: the query never uses {{{name}}}", at_key=True)


def check_model(item: ModelItem, meta: DagsterMeta, report: _Report) -> None:
    """Report what would make a model's training wrong."""
    if item.split.by.lower() == item.target.lower():
        report(["target"], f"target: {item.target} is what the rows are split by")
    _check_metrics(item, report)
    if item.promote:
        _check_promotion(item, report)
    if meta.partition:
        report([*BLOCK, "partition"], "partition: a model is trained on all of its features")
    if meta.checks:
        report([*BLOCK, "checks"], "checks: a model is not a table: its metrics are checked")
    if meta.data_version:
        message = "data_version: a model is not a table: each training has a version of its own"
        report([*BLOCK, "data_version"], message)
    _check_meta(meta, report)


def _check_metrics(item: ModelItem, report: _Report) -> None:
    needs: dict[bool, str] = {}
    for name, direction in item.metrics.items():
        if name not in METRICS:
            report(
                ["metrics", name],
                f"metrics: {name!r} is not known",
                allowed=tuple(METRICS),
                nearest=nearest(name, METRICS),
                at_key=True,
            )
            continue
        better, what = METRICS[name]
        needs.setdefault(what == "value", name)
        if direction != better:
            report(["metrics", name], f"{name}: it is better to {better} it")
    if len(needs) > 1:
        message = f"metrics: {needs[True]} is of a regression, {needs[False]} of a classifier"
        report(["metrics"], message, at_key=True)


def _check_promotion(item: ModelItem, report: _Report) -> None:
    promote = item.promote
    assert promote is not None  # noqa: S101 - the caller has looked
    if promote.metric not in item.metrics:
        report(
            ["promote", "metric"],
            f"metric: {promote.metric!r} is not among the model's metrics",
            allowed=tuple(item.metrics),
            nearest=nearest(promote.metric, item.metrics),
        )
        return
    direction, _ = METRICS.get(promote.metric, (item.metrics[promote.metric], None))
    wrong = "at_most" if direction == "maximize" else "at_least"
    right = "at_least" if direction == "maximize" else "at_most"
    if getattr(promote, wrong) is not None:
        message = f"{wrong}: {promote.metric} is {direction}d, so it takes {right}"
        report(["promote", wrong], message, at_key=True)


def check_score(item: ScoreItem, meta: DagsterMeta, report: _Report) -> None:
    """Report what would make a score wrong."""
    output = item.output
    taken = [*(key.lower() for key in output.keys), *SCORE_COLUMNS]
    if output.column.lower() in taken:
        report(["output", "column"], f"column: {output.column} is also another column's name")
    for index, key in enumerate(output.keys):
        if key.lower() in SCORE_COLUMNS:
            report(["output", "keys", index], f"keys: {key} is also another column's name")
    if meta.checks and DRIFT in meta.checks.sql:
        message = f"{DRIFT}: a check of scores has this name: give it another"
        report([*BLOCK, "checks", "sql", DRIFT], message, at_key=True)
    _check_partition(meta, output.mode, report, replaces_all=output.mode == "overwrite")


def _check_partition(
    meta: DagsterMeta, mode: str, report: _Report, *, replaces_all: bool = False
) -> None:
    """Check that a partition can be built twice without harm to itself or to others."""
    _check_meta(meta, report)
    if meta.partition is None:
        return
    if meta.partition.column is None:
        report([*BLOCK, "partition"], "partition: it needs column, which holds a row's partition")
    if mode == "append":
        message = "mode: append would repeat a partition's rows: use overwrite or merge"
        report(["output", "mode"], message)
    if replaces_all:
        message = "mode: overwrite would replace the other partitions' rows: use merge"
        report(["output", "mode"], message)


def _check_meta(meta: DagsterMeta, report: _Report) -> None:
    if meta.backfill:
        report([*BLOCK, "backfill"], "backfill: only dbt models take it")
