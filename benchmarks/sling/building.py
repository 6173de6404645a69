"""Building the definitions of 5,000 Sling streams in 100 files."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Samples, Variant, measure, median
from benchmarks.report import Report, Target
from benchmarks.sling.generated_streams import sample_replications, write_project
from benchmarks.systems import ROOT

FILES = 100
STREAMS = 50
DAGSTER_SLING_BOUND = {"build alone": 3.0, "whole process": 2.0}
BARE_BOUND = 1.8
TEXT = f"""\
{FILES * STREAMS:,} streams in {FILES} files, each stream with its own mode, keys, description and
tags; a condition, owners and a group stand in each file's defaults.

- *factories*: `build_definitions`, from YAML with positions, validated. It pauses Python's cyclic
  garbage collector while it builds.
- *dagster-sling*: its `SlingReplicationCollectionComponent` on the same files. It makes less of
  them: no owners, tags, automation conditions, source assets or lines of code references.
- *bare*: the same specs, source assets and groups written out in Python: no YAML, no validation.
- *bare, collector paused*: the same with the garbage collector paused too.

The whole process includes the interpreter's start and all imports; the build alone does not.
"""


def run() -> Report:
    """Measure the builds in processes of their own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        write_project(folder, sample_replications(FILES, STREAMS))
        variants = [
            _variant("factories", folder),
            _variant("dagster-sling", folder),
            _variant("bare", folder),
            _variant("bare, collector paused", folder),
        ]
        return report(list(measure(variants).values()))


def _variant(name: str, folder: Path) -> Variant:
    arguments = [name, str(folder), str(FILES), str(STREAMS)]
    return Variant(
        name,
        [sys.executable, "-m", "benchmarks.sling.building_variants", *arguments],
        {"PYTHONWARNINGS": "ignore", "DP_TARGET": "local"},
        ROOT,
    )


def report(samples: Sequence[Samples]) -> Report:
    """Compare the variants, by the build alone and by the whole process."""
    alone = [median(each.inside) for each in samples]
    whole = [median(each.whole) for each in samples]
    targets = []
    for part, (ours, stock, bare, paused) in (("build alone", alone), ("whole process", whole)):
        targets += [
            Target(
                f"dagster-sling / factories, {part}",
                stock / ours,
                DAGSTER_SLING_BOUND[part],
                at_least=True,
            ),
            Target(f"factories / bare, {part}", ours / bare, BARE_BOUND),
            Target(
                f"factories / bare with the collector paused, {part}",
                ours / paused,
                BARE_BOUND,
                counts=False,
            ),
        ]
    return Report("Building definitions", TEXT, "build alone", samples, targets)
