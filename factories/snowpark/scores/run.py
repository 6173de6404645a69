"""Scoring inside a Dagster step: what a model says of each row, merged into a table by key."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg

from factories.core.execution.checks.run import run_selected_checks
from factories.core.execution.data_versions import add_content_hash, find_data_version
from factories.core.execution.table_reader import QueryFailedError, table_metadata
from factories.core.execution.window import window
from factories.core.warehouse.names import WarehouseNames
from factories.snowpark.config.entries import ScoreEntry
from factories.snowpark.models.registry import RegistryError, Version
from factories.snowpark.models.step import ModelStep, open_model_step
from factories.snowpark.partition_filter import Covered
from factories.snowpark.scores.drift import Drift, build_drift_query, check_drift, measure_drift
from factories.snowpark.scores.rows import build_source_query, score_rows
from factories.snowpark.scores.write import ScoresWriter
from factories.snowpark.session import WAREHOUSE_ERRORS


def score(
    context: dg.AssetExecutionContext, entry: ScoreEntry, names: WarehouseNames
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Score the rows of a model's features, or of a window of them.

    The values are made in a temporary table; the output is written at the end, by one statement. A
    row that has this version's value already stays as it is, so scoring again changes nothing.

    Checks that are selected without their asset run on the table as it is. Drift is then measured
    over all features, not over a window, for the version that would score them; without one its
    check fails, and the others run.

    Yields:
        A result with the version and the rows, and the asset's checks.

    Raises:
        dagster.Failure: When there is no such version, its file was changed, or the rows do not
            fit it; then nothing was written.
    """
    with open_model_step(context, entry, entry.model, names) as step:
        version: Version | None = None
        covered: Covered | None = None
        if entry.key in context.selected_asset_keys:
            version, covered = _choose_version(entry, step), window(context)
            yield _score_rows(step, entry, version, covered)
        yield from run_selected_checks(
            context, entry.key, entry.meta.checks, entry.relation, step.reader
        )
        yield from check_drift(
            context, entry, partial(_measure_drift, step, entry, version, covered)
        )


def _score_rows(
    step: ModelStep, entry: ScoreEntry, version: Version, covered: Covered | None
) -> dg.MaterializeResult[Any]:
    step.log.info("scoring with %s, %s", version.label, version.status)
    writer = ScoresWriter(step.session, entry, version)
    score_rows(step, entry, version, build_source_query(step.session, entry, covered), writer)
    written = writer.write()
    changed = written.inserted + written.updated
    metadata = {
        **_table_metadata(step, entry),
        "model": version.model,
        "model_version": version.version,
        "rows_scored": written.rows,
        "rows_loaded": changed,
        "rows_inserted": written.inserted,
        "rows_updated": written.updated,
        "seconds": step.seconds,
    }
    return dg.MaterializeResult(
        asset_key=entry.key,
        metadata=metadata,
        data_version=find_data_version(
            step.context,
            entry.key,
            metadata,
            wrote_nothing=entry.mode == "merge" and changed == 0,
        ),
    )


def _table_metadata(step: ModelStep, entry: ScoreEntry) -> dict[str, Any]:
    """Describe the output; it is written, so what cannot be read of it is a warning."""
    try:
        columns = step.reader.columns(entry.relation)
        metadata = table_metadata(step.reader, entry.relation, columns)
    except QueryFailedError as error:
        step.log.warning("%s is written but cannot be read: %s", entry.relation, error)
        return {}
    add_content_hash(
        step.context, entry.meta, metadata, step.reader, entry.relation, columns=columns
    )
    return metadata


def _measure_drift(
    step: ModelStep, entry: ScoreEntry, version: Version | None, covered: Covered | None
) -> tuple[Version | None, Drift | str]:
    """Return how far features have moved since a version's training, by default of the champion.

    When that cannot be measured, return why: whatever was to be written is written.
    """
    try:
        version = version or _choose_version(entry, step)
        profile = version.details.get("profile", {})
        query = build_source_query(step.session, entry, covered)
        (counted,) = step.session.sql(build_drift_query(profile, query)).collect()
    except (RegistryError, *WAREHOUSE_ERRORS) as error:
        return version, step.mask(str(error))
    return version, measure_drift(profile, list(counted))


def _choose_version(entry: ScoreEntry, step: ModelStep) -> Version:
    if entry.version is not None:
        return step.registry.version(entry.model.name, entry.version)
    champion = step.registry.champion(entry.model.name)
    if champion is None:
        asset = entry.model.key.to_user_string()
        raise RegistryError(
            f"{entry.model.name} has no champion: materialize {asset},"
            " or promote a version with promote_version"
        )
    return champion
