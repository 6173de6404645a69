"""Runs the asset checks from YAML: rows, columns and schema, each one query after a load."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import dagster as dg

from factories.core.execution.table_reader import COLUMN_SCHEMA, QueryFailedError, TableReader
from factories.core.meta.check_specs import ChecksSpec, ColumnCheck, RowsCheck, column_checks
from factories.core.warehouse.names import Relation
from factories.core.warehouse.quoting import sql_identifier

Outcome = tuple[bool, dict[str, Any], str | None]
Check = Callable[[], Outcome]


class Query(Protocol):
    """Runs one SQL statement and returns its rows."""

    def __call__(self, sql: str) -> Sequence[Sequence[Any]]:
        """Return all rows of the statement's result.

        Raises:
            QueryFailedError: When there is no result.
        """
        ...


@dataclass(frozen=True)
class LoadedTable:
    """What the checks look at.

    Attributes:
        relation: The table, as SQL calls it.
        columns: The columns' types by name, as the warehouse has them now.
        previous_columns: The columns' names at the last materialization before this one.
        query: Runs a statement on the warehouse.
    """

    relation: str
    columns: Mapping[str, str]
    previous_columns: Sequence[str] | None
    query: Query


def run_checks(
    key: dg.AssetKey, spec: ChecksSpec, table: LoadedTable
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of one table; a check that cannot run fails, and the others still run."""
    for name, run in _checks(spec, table):
        try:
            passed, details, description = run()
        except QueryFailedError as error:
            passed, details, description = False, {}, str(error)
        yield dg.AssetCheckResult(
            passed=passed,
            asset_key=key,
            check_name=name,
            metadata=details,
            description=description,
        )


def _checks(spec: ChecksSpec, table: LoadedTable) -> Iterator[tuple[str, Check]]:
    """Yield each check's name, as `check_names` has it, and what runs it."""
    if spec.rows:
        yield "row_count", partial(_check_rows, spec.rows, table)
    for check in column_checks(spec):
        yield check.name, partial(_check_column, check, table)
    if spec.schema_:
        yield "no_removed_columns", partial(_check_removed_columns, table)


def _check_rows(rule: RowsCheck, table: LoadedTable) -> Outcome:
    count = int(table.query(f"select count(*) from {table.relation}")[0][0])  # noqa: S608 - as above
    low = rule.min is None or count >= rule.min
    high = rule.max is None or count <= rule.max
    bounds = {
        name: value for name, value in (("min", rule.min), ("max", rule.max)) if value is not None
    }
    return low and high, {"rows": count, **bounds}, None


def _check_column(check: ColumnCheck, table: LoadedTable) -> Outcome:
    found = _find_columns(check.column, table.columns)
    if not found:
        return False, {"columns": list(table.columns)}, f"The table has no column {check.column}."
    if len(found) > 1:
        names = ", ".join(found)
        text = f"The table has several columns of this name: {names}. Name one as it is written."
        return False, {"columns": found}, text
    column = sql_identifier(found[0])
    if check.unique:
        sql = f"select count({column}) - count(distinct {column}) from {table.relation}"  # noqa: S608 - names from the project's own YAML
    else:
        sql = f"select count(*) from {table.relation} where {column} is null"  # noqa: S608 - as above
    wrong = int(table.query(sql)[0][0])
    return wrong == 0, {"rows_that_fail": wrong}, None


def _find_columns(name: str, columns: Mapping[str, str]) -> list[str]:
    """Return the columns that a name may mean: the one that is written so, or in any case."""
    if name in columns:
        return [name]
    return [known for known in columns if known.lower() == name.lower()]


def _check_removed_columns(table: LoadedTable) -> Outcome:
    now = {column.lower() for column in table.columns}
    removed = [column for column in table.previous_columns or () if column.lower() not in now]
    return not removed, {"removed_columns": removed}, None


def read_previous_columns(
    instance: dg.DagsterInstance, key: dg.AssetKey, *, before: float | None = None
) -> list[str] | None:
    """Return the column names that the last materialization of an asset recorded.

    Args:
        instance: Dagster's.
        key: The asset.
        before: The time before which it was materialized; without it, up to now.
    """
    if before is None:
        event = instance.get_latest_materialization_event(key)
    else:
        earlier = dg.AssetRecordsFilter(asset_key=key, before_timestamp=before)
        records = instance.fetch_materializations(earlier, limit=1).records
        event = records[0].event_log_entry if records else None
    materialization = event.asset_materialization if event else None
    value = materialization.metadata.get(COLUMN_SCHEMA) if materialization else None
    if not isinstance(value, dg.TableSchemaMetadataValue):
        return None
    return [column.name for column in value.schema.columns]


def run_selected_checks(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    checks: ChecksSpec | None,
    relation: Relation,
    reader: TableReader,
    *,
    columns: Mapping[str, str] | None = None,
    loaded_at: float | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Run those checks of a table that the run has selected; see `run_table_checks`."""
    selected = {k.name for k in context.selected_asset_check_keys if k.asset_key == key}
    if checks is None or not selected:
        return
    for result in run_table_checks(
        context.instance, key, checks, relation, reader, columns=columns, loaded_at=loaded_at
    ):
        if result.check_name in selected:
            yield result


def run_table_checks(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    checks: ChecksSpec,
    relation: Relation,
    reader: TableReader,
    *,
    columns: Mapping[str, str] | None = None,
    loaded_at: float | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of a table.

    Args:
        instance: Knows the columns of the load before.
        key: The asset.
        checks: What its block says.
        relation: The table.
        reader: Looks at it.
        columns: Its columns, where the caller has them already.
        loaded_at: When the materialization of this load was recorded, if it was already.
    """
    if columns is None:
        try:
            columns = reader.columns(relation)
        except QueryFailedError:
            columns = {}  # each check reports the column that it misses
    previous = read_previous_columns(instance, key, before=loaded_at)
    yield from run_checks(key, checks, LoadedTable(relation.sql, columns, previous, reader.query))
