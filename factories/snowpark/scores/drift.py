"""Drift: how far the rows that are scored have moved from those that the model was trained on.

The population stability index of a feature sums, over the bins of its training data, how much the
shares differ. Below 0.1 is taken as the same, from 0.25 on as another population. It is counted by
one query where the rows are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import dagster as dg

from factories.core.warehouse.quoting import sql_identifier, sql_literal
from factories.snowpark.config.check_specs import DRIFT
from factories.snowpark.config.entries import ScoreEntry
from factories.snowpark.models.plots import draw_drift_plot
from factories.snowpark.models.registry import Version

MUCH = 0.25
FEW = 1e-4  # an empty bin counts as this share: the index of a new value is finite
FEWEST_ROWS = 200  # below, the index is mostly chance


@dataclass(frozen=True)
class Drift:
    """How far features have moved.

    Attributes:
        rows: How many rows were compared.
        index: The population stability index by feature, the largest first.
    """

    rows: int
    index: Mapping[str, float]

    @property
    def moved(self) -> list[str]:
        """The features that are another population now."""
        return [name for name, value in self.index.items() if value >= MUCH]

    @property
    def is_known(self) -> bool:
        """Whether there are enough rows to judge."""
        return self.rows >= FEWEST_ROWS


def build_drift_query(profile: Mapping[str, Mapping[str, Any]], source: str) -> str:
    """Return the query that counts rows by the bins of the training data.

    The counts are in the order in which `measure_drift` reads them.

    Args:
        profile: Each feature's distribution in training, as `profile_features` of `in_snowflake/`
            returns it.
        source: A query of the rows.
    """
    counts = ["count(*)"]
    for name, distribution in profile.items():
        column = sql_identifier(name.upper())
        if "edges" in distribution:
            # Cumulative: one comparison for each edge. Not a number, pandas takes it for null.
            counts += [f"count_if({column} <= {float(edge)!r})" for edge in distribution["edges"]]
            counts.append(f"count_if({column} is null or {column} = 'NaN'::float)")
        else:
            counts += [
                f"count_if(to_varchar({column}) = {sql_literal(v)})" for v in distribution["values"]
            ]
            counts.append(f"count_if({column} is null)")
    return f"select {', '.join(counts)} from ({source})"  # noqa: S608 - names of the project's own columns


def measure_drift(profile: Mapping[str, Mapping[str, Any]], counted: Sequence[int | None]) -> Drift:
    """Return how far each feature has moved, from the row that `build_drift_query` gives."""
    values = iter(count or 0 for count in counted)  # of no rows, COUNT_IF gives null
    rows = next(values)
    index = {}
    for name, distribution in profile.items():
        known = [next(values) for _ in distribution.get("edges", distribution.get("values"))]
        nulls = next(values)
        if "edges" in distribution:
            bounds = [0, *known, rows - nulls]
            bins = [high - low for low, high in pairwise(bounds)]
        else:
            bins = [*known, rows - nulls - sum(known)]
        index[name] = compute_stability([*bins, nulls], distribution["shares"])
    return Drift(rows, dict(sorted(index.items(), key=lambda item: -item[1])))


def compute_stability(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the population stability index of counts against the shares that were expected."""
    rows = sum(counts)
    if rows == 0:
        return 0.0
    total = 0.0
    for count, share in zip(counts, shares, strict=True):
        now, before = max(count / rows, FEW), max(share, FEW)
        total += (now - before) * math.log(now / before)
    return total


def check_drift(
    context: dg.AssetExecutionContext,
    entry: ScoreEntry,
    find: Callable[[], tuple[Version | None, Drift | str]],
) -> Iterator[dg.AssetCheckResult]:
    """Yield the check of drift, when it is selected.

    Args:
        context: Dagster's.
        entry: The scores.
        find: Returns for which version how far the features have moved, or why that could not be
            counted; it reads all rows, so it is asked only when the check is selected.
    """
    if dg.AssetCheckKey(entry.key, DRIFT) not in context.selected_asset_check_keys:
        return
    version, found = find()
    metadata: dict[str, Any] = {"model_version": version.version} if version else {}
    passed, text = False, None
    if isinstance(found, str):
        text = found
    else:
        passed = not (found.is_known and found.moved)
        metadata |= {"rows": found.rows, "index": dict(found.index)}
        if found.index:
            metadata["plot"] = draw_drift_plot(found.index, MUCH)
        if not found.is_known:
            text = f"{found.rows} rows are too few to judge; {FEWEST_ROWS} are needed."
        elif found.moved:
            moved = ", ".join(f"{name} {found.index[name]:.2f}" for name in found.moved)
            text = f"Another population than in training (index from {MUCH} on): {moved}"
    yield dg.AssetCheckResult(
        passed=passed,
        asset_key=entry.key,
        check_name=DRIFT,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description=text,
    )
