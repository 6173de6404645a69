"""One process: evaluate the automation conditions of many assets, idle and with all of them due."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import psutil
from dagster._serdes import serialize_value

from factories.core.conditions.operators import build_condition
from factories.core.conditions.rule import CRON_WITH_DEPS, UPSTREAM_CHANGE, AutomationRule

LAYERS = 4
CRON = "0 2 * * *"
NODE, OPERATORS, DAGSTER = "node", "operators", "dagster"


def conditions(kind: str) -> list[Any]:
    """Return a condition with a cron and one of changes, as a variant has them."""
    if kind == DAGSTER:
        return [dg.AutomationCondition.on_cron(CRON), dg.AutomationCondition.eager()]
    rules = [
        AutomationRule(name=CRON_WITH_DEPS, cron_schedule=CRON),
        AutomationRule(name=UPSTREAM_CHANGE),
    ]
    return [build_condition(rule, {"DP_CONDITIONS": kind}) for rule in rules]


def definitions(kind: str, count: int) -> dg.Definitions:
    """Return assets in four layers, each below two others; a quarter has a blocking check.

    Half of the assets has the condition with a cron, half the one of changes.
    """
    width = count // LAYERS
    by_turns = conditions(kind)
    specs = [
        dg.AssetSpec(
            f"a{number}",
            deps=[f"a{above}" for above in _above(number, width)],
            automation_condition=by_turns[number % 2],
        )
        for number in range(count)
    ]
    checks = [
        dg.AssetCheckSpec("rows", asset=f"a{number}", blocking=True)
        for number in range(0, count, LAYERS)
    ]

    @dg.multi_asset(specs=specs, check_specs=checks, can_subset=True)
    def load() -> Iterator[dg.MaterializeResult[Any]]:
        yield from ()  # nothing runs

    return dg.Definitions([load])


def _above(number: int, width: int) -> Sequence[int]:
    layer = number // width
    if layer == 0:
        return ()
    return [(layer - 1) * width + (number + step) % width for step in (0, 7)]


def main(kind: str, count: int) -> None:
    """Print the CPU seconds of an evaluation with nothing to do, and of one with all to do."""
    warnings.simplefilter("ignore")
    defs = definitions(kind, count)
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder) as instance:
        for number in range(count):
            instance.report_runless_asset_event(dg.AssetMaterialization(f"a{number}"))
        for number in range(0, count, LAYERS):
            evaluation = dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(f"a{number}"), check_name="rows", passed=True
            )
            instance.report_runless_asset_event(evaluation)
        before_two = datetime.now(UTC).replace(hour=1, minute=0)
        cursor: Any = None

        def evaluate(moment: datetime) -> tuple[float, int]:
            nonlocal cursor
            start = time.process_time()
            found = dg.evaluate_automation_conditions(
                defs, instance, evaluation_time=moment, cursor=cursor
            )
            cursor = found.cursor
            return time.process_time() - start, found.total_requested

        evaluate(before_two)
        idle, _ = evaluate(before_two + timedelta(seconds=30))
        for number in range(count // LAYERS):
            instance.report_runless_asset_event(dg.AssetMaterialization(f"a{number}"))
        due, asked = evaluate(before_two + timedelta(days=1, hours=2))
        memory = psutil.Process().memory_info().rss / 2**20
        kilobytes = len(serialize_value(cursor)) / 1024
    print(
        json.dumps(
            {
                "seconds": idle,
                "due": due,
                "asked": asked,
                "megabytes": memory,
                "kilobytes": kilobytes,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
