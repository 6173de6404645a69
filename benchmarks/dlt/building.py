"""Building the definitions of 5,000 dlt resources in 100 files."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.dlt.generated_pipelines import sample_pipelines, write_project
from benchmarks.measure import Samples, Variant, measure, median
from benchmarks.report import Report, Target
from benchmarks.systems import ROOT

FILES = 100
RESOURCES = 50
BARE_BOUND = 1.8
TEXT = f"""\
{FILES * RESOURCES:,} resources in {FILES} pipeline files, of an API (`rest_api`) and of a database
(`sql_database`) in turns, each resource with its own disposition, key, cursor, description and
tags; a condition, owners and a group stand in each file's defaults.

- *factories*: `build_definitions` as a code server and `make check` do it. What stands below
  `source` is checked by dlt's own rules.
- *factories, in a step*: the same as runs and their steps do it, which need not check again what
  the code server has checked, and need not import dlt for it.
- *bare*: the same specs, source assets and groups written out in Python: no YAML, no validation.
- *bare, collector paused*: the same with Python's cyclic garbage collector paused, as ours has it.

The whole process includes the interpreter's start and all imports; the build alone does not, but
for dlt's, which the factories import when they check.
"""


def run() -> Report:
    """Measure the builds in processes of their own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        write_project(folder, sample_pipelines(FILES, RESOURCES))
        names = ("factories", "factories, in a step", "bare", "bare, collector paused")
        return report(list(measure([_variant(name, folder) for name in names]).values()))


def _variant(name: str, folder: Path) -> Variant:
    arguments = [name, str(folder), str(FILES), str(RESOURCES)]
    return Variant(
        name,
        [sys.executable, "-m", "benchmarks.dlt.building_variants", *arguments],
        {"PYTHONWARNINGS": "ignore", "DP_TARGET": "local"},
        ROOT,
    )


def report(samples: Sequence[Samples]) -> Report:
    """Compare the variants, by the build alone and by the whole process."""
    alone = [median(each.inside) for each in samples]
    whole = [median(each.whole) for each in samples]
    targets = []
    for part, (ours, again, bare, paused) in (("build alone", alone), ("whole process", whole)):
        targets += [
            Target(f"factories / bare, {part}", ours / bare, BARE_BOUND, counts=False),
            Target(f"factories, in a step / bare, {part}", again / bare, BARE_BOUND),
            Target(
                f"factories, in a step / bare with the collector paused, {part}",
                again / paused,
                BARE_BOUND,
                counts=False,
            ),
        ]
    return Report("Building definitions of dlt", TEXT, "build alone", samples, targets)
