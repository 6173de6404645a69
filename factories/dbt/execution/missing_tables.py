"""Tests that read a table which nobody has made yet: their result is unknown.

A `relationships` test reads a table that is no dependency of the model that it is about. dbt would
say that it does not exist, as the failure of a test, which would hold back everything downstream.
Once the table is there, a sensor asks for the test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from factories.core.conditions.unknown_checks import unknown_metadata
from factories.core.execution.table_reader import QueryFailedError, TableReader
from factories.core.warehouse.names import Relation
from factories.dbt.project.project import DbtProject


def find_missing_tables(
    project: DbtProject, tests: Iterable[str], built: set[str], reader: TableReader
) -> dict[str, str]:
    """Return the node whose table is missing, for each test that reads one beside its subject.

    Args:
        project: The dbt project.
        tests: Unique ids of the tests that are to run.
        built: Unique ids of the nodes that the same build makes before them.
        reader: Looks for the tables; each is looked for once.
    """
    there: dict[Relation, bool] = {}
    found = {}
    for uid in sorted(tests):
        test = project.manifest.tests[uid]
        if test.is_unit:
            continue
        for read in test.reads:
            relation = project.relation(read)
            if read in {test.subject, *built} or relation is None:
                continue
            if relation not in there:
                there[relation] = exists(reader, relation)
            if not there[relation]:
                found[uid] = read
    return found


def unknown_results(
    context: dg.AssetExecutionContext,
    project: DbtProject,
    missing: Mapping[str, str],
    looked_at: float,
) -> Iterator[dg.AssetCheckResult]:
    """Yield a warning for each selected test that cannot run yet."""
    for uid, read in missing.items():
        check = project.checks[uid]
        result = unknown_result(
            check,
            f"it reads {project.relation(read)}, which does not exist yet.",
            unknown_metadata(project.keys[read], looked_at),
        )
        context.log.warning("the test %s does not run: %s", check.name, result.description)
        yield result


def unknown_result(
    check: dg.AssetCheckSpec, why: str, metadata: Mapping[str, Any]
) -> dg.AssetCheckResult:
    """Return the result of a check that cannot run yet: a warning."""
    return dg.AssetCheckResult(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"Unknown: {why}",
        metadata=metadata,
    )


def exists(reader: TableReader, relation: Relation) -> bool:
    """Tell whether there is a table, as far as can be seen."""
    try:
        return bool(reader.columns(relation))
    except QueryFailedError:
        return False
