"""What the evaluation of an asset check says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from factories.alerts.causes import last_lines
from factories.alerts.occurrences import Observation, Occurrence, Recovery
from factories.alerts.place import Place


def check_observation(
    data: Any, at: float, place: Place, run: dg.DagsterRun | None = None
) -> Observation:
    """Return what an evaluation of a check says: that it failed, or that it works again.

    Args:
        data: Dagster's `AssetCheckEvaluation`.
        at: When it was evaluated.
        place: Where.
        run: The run that did; None when it was reported from elsewhere.
    """
    asset = data.asset_key.to_user_string()
    key = place.key("check", asset, data.check_name)
    if data.passed:
        return Recovery(key, at)
    warns = data.severity is dg.AssetCheckSeverity.WARN
    text = place.mask(last_lines(data.description or _numbers(data.metadata)))
    return Occurrence(
        key, "check_failed", "warning" if warns else "error", at,
        subject=f"check {data.check_name} of {asset}",
        text=text,
        location=place.location,
        run_id=run.run_id if run else "",
        job=run.job_name if run else "",
        assets=(asset,),
        owners=place.catalog.owners([asset]),
        partitions=(data.partition,) if data.partition else (),
        place=place.catalog.place([asset]),
        link=f"/runs/{run.run_id}" if run else f"/assets/{asset}?view=checks",
        group=run.run_id if run else "",
    )  # fmt: skip


def _numbers(metadata: Mapping[str, Any]) -> str:
    """Return the numbers and texts that a check reports."""
    plain = {name: value.value for name, value in metadata.items()}
    return ", ".join(
        f"{name}: {value}" for name, value in plain.items() if isinstance(value, int | float | str)
    )
