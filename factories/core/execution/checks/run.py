"""Runs the asset checks of YAML after a load: one statement for all checks of a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import dagster as dg

from factories.core.execution.checks.history import LoadHistory, history_of_step
from factories.core.execution.checks.one_statement import ask
from factories.core.execution.checks.other_tables import RecordedTables
from factories.core.execution.checks.outcomes import LoadedTable, Outcome, Question
from factories.core.execution.checks.questions import question_of
from factories.core.execution.table_reader import QueryFailedError, TableReader
from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.check_specs import Check, blocking_names, list_checks
from factories.core.warehouse.names import Relation


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
    if checks is not None and selected:
        history = history_of_step(context, key, loaded_at)
        yield from run_table_checks(
            history, checks, relation, reader, columns=columns, selected=selected
        )


def run_table_checks(
    history: LoadHistory,
    checks: ChecksSpec,
    relation: Relation,
    reader: TableReader,
    *,
    columns: Mapping[str, str] | None = None,
    selected: Collection[str] | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of a table.

    Args:
        history: The asset, and its loads before this one.
        checks: What its block says.
        relation: The table.
        reader: Looks at it.
        columns: Its columns, where the caller has them already.
        selected: The names of the checks to run; without it, all.
    """
    if columns is None:
        try:
            columns = reader.columns(relation)
        except QueryFailedError:
            columns = {}  # each check reports the column that it misses
    others = RecordedTables(history.instance, reader)
    table = LoadedTable(relation.sql, columns, reader.query, history, others)
    wanted = [each for each in list_checks(checks) if selected is None or each.name in selected]
    yield from run_checks(wanted, table)


def run_checks(checks: list[Check], table: LoadedTable) -> Iterator[dg.AssetCheckResult]:
    """Run checks of one table; one that cannot be run fails, and the others still run."""
    asked: dict[str, Question] = {}
    outcomes: dict[str, Outcome] = {}
    for check in checks:
        found = question_of(check, table)
        if isinstance(found, Question):
            asked[check.name] = found
        else:
            outcomes[check.name] = found
    expressions = {name: question.expressions for name, question in asked.items()}
    for name, answer in ask(table.relation, expressions, table.query):
        if isinstance(answer, QueryFailedError):
            outcomes[name] = asked[name].explain(answer)
        else:
            outcomes[name] = asked[name].judge(answer)
    for check in checks:
        yield _result(table.history.key, check, outcomes[check.name])


def _result(key: dg.AssetKey, check: Check, outcome: Outcome) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=outcome.passed,
        asset_key=key,
        check_name=check.name,
        severity=dg.AssetCheckSeverity.WARN if outcome.unknown else check.dagster_severity,
        metadata=outcome.metadata,
        description=outcome.description,
    )


def failed_blocking(
    checks: ChecksSpec | None, results: Collection[dg.AssetCheckResult]
) -> list[str]:
    """Return the names of the checks that failed, and hold back what is downstream."""
    blocking = blocking_names(checks)
    return [
        result.check_name
        for result in results
        if not result.passed
        and result.severity is dg.AssetCheckSeverity.ERROR
        and result.check_name in blocking
    ]
