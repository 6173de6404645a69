"""Building features and other tables inside a Dagster step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg

from factories.core.execution.checks.run import failed_blocking, run_selected_checks
from factories.core.execution.data_versions import add_content_hash, find_data_version
from factories.core.execution.failures import build_step_failure
from factories.core.execution.reexecution import made_before, rematerialize_for_waiting_steps
from factories.core.execution.step import wait_before_retry
from factories.core.execution.table_reader import QueryFailedError, table_metadata
from factories.core.execution.window import window
from factories.core.meta.retries import max_retries
from factories.core.warehouse.names import WarehouseNames
from factories.snowpark.catalog import name_missing_inputs
from factories.snowpark.config.entries import TableEntry
from factories.snowpark.errors import EXPLAINED_ERRORS
from factories.snowpark.partition_filter import Covered
from factories.snowpark.session import WAREHOUSE_ERRORS
from factories.snowpark.step import Step, build_query_tag, is_worth_another_try, open_step
from factories.snowpark.tables.rows import describe_rows
from factories.snowpark.tables.write import Written, write

MOST_SQL = 20_000  # characters in a materialization, which lies in Dagster's event storage


@dataclass(frozen=True)
class Built:
    """A table that was written.

    Attributes:
        written: What the write did.
        sql: The query that made the rows.
        seconds: How long it took.
        attempt: Which try this was, 1 the first.
    """

    written: Written
    sql: str
    seconds: float
    attempt: int = 1


@dataclass(frozen=True)
class _Run:
    """What all tables of one step share.

    Attributes:
        step: The open step.
        covered: The partitions of the run, None for tables without.
        warehouse: The virtual warehouse of tables that name none.
        failures: Why each table that failed is not built.
        blocking: Tables that were written, and failed a check that blocks what reads them.
    """

    step: Step
    covered: Covered | None
    warehouse: str | None
    failures: dict[dg.AssetKey, str] = field(default_factory=dict)
    blocking: set[dg.AssetKey] = field(default_factory=set)


def build_tables(
    context: dg.AssetExecutionContext,
    entries_by_key: Mapping[dg.AssetKey, TableEntry],
    names: WarehouseNames,
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Build the selected tables of one file.

    A table that fails spares those that do not read it, and is tried again as its `retries` say
    when it was the warehouse that failed. Checks that are selected without their asset run on the
    table as it is.

    Args:
        context: Dagster's.
        entries_by_key: The tables that the step can build, each after those that it reads.
        names: How the target's databases are called.

    Yields:
        A result for each table that was written, and for each check that runs alone.

    Raises:
        dagster.Failure: After the results, when a table has failed for good; names each. Also when
            the step cannot begin: see `open_step`; then nothing has run.
    """
    selected, before = context.selected_asset_keys, made_before(context)
    wanted = selected - before.runs.keys()
    tables = [table for key, table in entries_by_key.items() if key in wanted]
    yield from rematerialize_for_waiting_steps(context, before)
    with open_step(context, names) as step:
        covered = window(context) if tables else None
        run = _Run(step, covered, step.session.get_current_warehouse())
        for key, table in entries_by_key.items():
            if key not in selected:
                checks = table.meta.checks
                yield from run_selected_checks(context, key, checks, table.relation, step.reader)
        for table in tables:
            yield from _build(run, table)
        if run.failures:
            raise build_step_failure(_report(run.failures, len(tables)), run.failures)


def _build(run: _Run, table: TableEntry) -> Iterator[dg.MaterializeResult[Any]]:
    """Build one table, again as often as it may."""
    for found in table.inputs.values():
        if found.key in run.failures or found.key in run.blocking:
            why = "is not built" if found.key in run.failures else "has failed a blocking check"
            run.failures[table.key] = f"it reads {found.key.to_user_string()}, which {why}"
            return
    retries = max_retries([table.meta.retries])
    for attempt in range(1, 2 + retries):
        try:
            built = replace(_attempt(run, table), attempt=attempt)
        except EXPLAINED_ERRORS as error:
            run.failures[table.key] = run.step.mask(str(error))
            break
        except WAREHOUSE_ERRORS as error:
            run.failures[table.key] = run.step.mask(str(error))
            if not is_worth_another_try(error):
                break
        else:
            run.failures.pop(table.key, None)
            yield _build_result(run, table, built)
            return
        if attempt <= retries:
            run.step.log.warning("%s: %s", table.name, run.failures[table.key])
            wait_before_retry(run.step.log, [table.meta.retries], [table.name], attempt)
    run.step.log.error("%s: %s", table.name, run.failures[table.key])


def _attempt(run: _Run, table: TableEntry) -> Built:
    started = time.monotonic()
    step, session = run.step, run.step.session
    session.query_tag = build_query_tag(step.context, table)
    if warehouse := table.warehouse or run.warehouse:
        session.use_warehouse(warehouse)
    with name_missing_inputs(session, {i.key: i.relation for i in table.inputs.values()}):
        frame = describe_rows(session, table, run.covered)
        sql = step.mask("\n;\n".join(frame.queries["queries"]))
        step.log.debug("%s:\n%s", table.name, sql)
        written = write(session, table, frame, run.covered)
    if len(sql) > MOST_SQL:
        sql = f"{sql[:MOST_SQL]}\n… and {len(sql) - MOST_SQL:,} characters more"
    return Built(written, sql, time.monotonic() - started)


def _build_result(run: _Run, table: TableEntry, built: Built) -> dg.MaterializeResult[Any]:
    """Describe a table that was written, and run its checks.

    The rows are written: what cannot be read of the table afterwards is a warning, no failure.
    """
    written = built.written
    metadata: dict[str, Any] = {
        "rows_loaded": written.rows,
        "rows_inserted": written.inserted,
        "rows_updated": written.updated,
        "rows_deleted": written.deleted,
        "seconds": round(built.seconds, 3),
        "snowpark/mode": table.mode,
        "snowpark/sql": dg.MetadataValue.md(f"```sql\n{built.sql}\n```"),
    }
    columns: dict[str, str] = {}
    try:
        columns = run.step.reader.columns(table.relation)
        metadata |= table_metadata(run.step.reader, table.relation, columns)
    except QueryFailedError as error:
        run.step.log.warning("%s is written but cannot be read: %s", table.name, error)
    add_content_hash(
        run.step.context, table.meta, metadata, run.step.reader, table.relation, columns=columns
    )
    run.step.log.info("%s: %s rows in %.1f s", table.relation, f"{written.rows:,}", built.seconds)
    checks = list(
        run_selected_checks(
            run.step.context,
            table.key,
            table.meta.checks,
            table.relation,
            run.step.reader,
            columns=columns,
        )
    )
    if failed_blocking(table.meta.checks, checks):
        run.blocking.add(table.key)
    return dg.MaterializeResult(
        asset_key=table.key,
        metadata=metadata,
        check_results=checks,
        data_version=find_data_version(
            run.step.context, table.key, metadata, wrote_nothing=_wrote_nothing(run, table, built)
        ),
    )


def _wrote_nothing(run: _Run, table: TableEntry, built: Built) -> bool:
    """Tell whether the table is as it was: it had no row to write, and none was deleted."""
    replaced = table.mode == "overwrite" and run.covered is None
    written = built.written
    return not (replaced or written.rows or written.deleted) and built.attempt == 1


def _report(failures: Mapping[dg.AssetKey, str], selected: int) -> str:
    rest = "; the others are built" if len(failures) < selected else ""
    lines = [f"{len(failures)} of {selected} tables failed{rest}."]
    lines += [f"{key.to_user_string()}: {why}" for key, why in failures.items()]
    return "\n".join(lines)
