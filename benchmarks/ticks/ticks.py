"""What an evaluation of the automation conditions costs the daemon, which makes one every 30 s."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from benchmarks.measure import Samples, Variant, measure, median
from benchmarks.report import Report, Target
from benchmarks.systems import ROOT
from benchmarks.ticks.evaluation import DAGSTER, NODE, OPERATORS
from benchmarks.ticks.idle_daemon import measure_idle_hour

COUNTS = (1000, 3000)
NAMES = {
    NODE: "our node",
    OPERATORS: "our tree of operators",
    DAGSTER: "Dagster's on_cron and eager",
}
BOUNDS = {NODE: 0.5, OPERATORS: 1.6}
TEXT = """\
Each process defines assets in four layers, each below two of the layer above: half of them with a
cron and `on_cron_with_deps`, half with `on_upstream_change`, a quarter with a blocking check; or
with Dagster's own `on_cron` and `eager()`. All are materialized, in SQLite. It evaluates once, then
again with nothing to do (the part that is measured), then after the cron has ticked and the first
layer was updated. How many assets are asked for then differs: Dagster's wait for what they asked
for themselves.

The last table is of `dp dev` with the demo's three code locations, all sensors on and nothing due,
measured for five minutes once.
"""


def run() -> Report:
    """Measure the evaluations in processes of their own."""
    variants = [
        Variant(
            name(kind, count),
            [sys.executable, "-m", "benchmarks.ticks.evaluation", kind, str(count)],
            {"DP_TARGET": "local"},
            ROOT,
        )
        for count in COUNTS
        for kind in NAMES
    ]
    return report(measure(variants), measure_idle_hour())


def name(kind: str, count: int) -> str:
    """Return a variant's name."""
    return f"{count:,} assets, {NAMES[kind]}"


def report(samples: Mapping[str, Samples], idle_hour: Mapping[str, float]) -> Report:
    """Compare each way of ours with Dagster's own conditions; add what an idle hour costs."""
    rows = [
        "| variant | CPU seconds, all due | asked for | cursor, KB | memory, MB |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    targets = []
    for count in COUNTS:
        own = samples[name(DAGSTER, count)]
        for kind in NAMES:
            each = samples[name(kind, count)]
            parts = {part: median(values) for part, values in each.parts.items()}
            rows.append(
                f"| {each.name} | {parts['due']:.2f} | {parts['asked']:.0f}"
                f" | {parts['kilobytes']:.0f} | {parts['megabytes']:.0f} |"
            )
            if kind == DAGSTER:
                continue
            for what, ratio in (
                ("idle", median(each.inside) / median(own.inside)),
                ("all due", parts["due"] / median(own.parts["due"])),
            ):
                label = f"{each.name} / Dagster's, {what}"
                targets.append(Target(label, ratio, BOUNDS[kind]))
    rows += ["", "| `dp dev` of the demo, idle | CPU seconds in an hour |", "| --- | ---: |"]
    rows += [f"| {kind} | {seconds:.0f} |" for kind, seconds in idle_hour.items()]
    more = "\n".join([*rows, ""])
    title = "Evaluating automation conditions"
    return Report(title, TEXT, "idle, CPU", [*samples.values()], targets, more)
