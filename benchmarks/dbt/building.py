"""Loading the definitions of a dbt project with 1,000 models."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

from benchmarks.dbt.building_variants import prepare_dagster_dbt
from benchmarks.dbt.generated_models import DBT, write_project
from benchmarks.measure import Samples, Variant, measure, median
from benchmarks.report import Report, Target
from benchmarks.systems import ROOT, dagster_home, own_systems
from factories.core.execution.subprocesses import environment_with
from factories.core.warehouse.names import warehouse_names
from factories.dbt.environment import dbt_environment
from factories.dbt.prepare import prepare

MODELS = 1_000
NAMES = ("factories", "dagster-dbt")
TEXT = f"""\
A generated project of {MODELS:,} models, {MODELS // 2:,} sources and {2 * MODELS:,} data tests,
with descriptions, columns and tags; a condition and owners stand in `dbt_project.yml`.

- *factories*: `build_definitions(dbt=…)`. `meta.dagster` is validated, with its places.
- *dagster-dbt*: its `DbtProjectComponent` on the same project. It makes less of it: no automation
  conditions, external sources or lines of code references.

Both in three situations:

- *ready manifest*: as in an image, where it was made before; ours makes sure that it is of these
  files.
- *dagster dev*: as on a laptop, where nothing has changed. The component parses the project at each
  load, and copies it; ours sees that nothing has changed.
- *first step*: a run worker that materializes one model; the part is from the worker's start to the
  start of the step, so that it holds two loads of the definitions and the step process's start.

The whole process includes the interpreter's start and all imports, of a run also the model's build;
the build alone does not.
"""


def run() -> Report:
    """Measure both on one project, in systems of their own."""
    with own_systems() as (settings, folder):
        root = folder / "project"
        write_project(root, MODELS)
        environment = {**dbt_environment(settings), "PYTHONWARNINGS": "ignore"}
        home = {"DAGSTER_HOME": str(dagster_home(folder / "bench"))}
        with patch.dict(os.environ, environment_with(environment), clear=True):
            prepare(root / DBT, warehouse_names())
            prepare_dagster_dbt(root)
        dev = {"DAGSTER_IS_DEV_CLI": "1"}
        variants = [
            *(_variant(f"{name}, ready manifest", [name], root, environment) for name in NAMES),
            *(_variant(f"{name}, dagster dev", [name], root, environment | dev) for name in NAMES),
            *(
                _variant(f"{name}, first step", [name, "--run"], root, environment | home)
                for name in NAMES
            ),
        ]
        return report(measure(variants))


def _variant(
    name: str, arguments: list[str], root: Path, environment: Mapping[str, str | None]
) -> Variant:
    command = [sys.executable, "-m", "benchmarks.dbt.building_variants", *arguments[:1], str(root)]
    return Variant(name, [*command, *arguments[1:]], environment, ROOT)


def report(samples: dict[str, Samples]) -> Report:
    """Compare ours with the component, by the build alone and by the whole process."""
    targets = []
    for what, bound in (("ready manifest", 2.0), ("dagster dev", 2.0), ("first step", 1.0)):
        ours, stock = samples[f"factories, {what}"], samples[f"dagster-dbt, {what}"]
        part = "to the step's start" if what == "first step" else "build alone"
        targets += [
            Target(
                f"dagster-dbt / factories, {what}, {part}",
                median(stock.inside) / median(ours.inside),
                bound,
                at_least=True,
            ),
            Target(
                f"dagster-dbt / factories, {what}, whole process",
                median(stock.whole) / median(ours.whole),
                bound,
                at_least=True,
                counts=False,
            ),
        ]
    part = "build alone, or to the first step"
    return Report("Building definitions of dbt", TEXT, part, list(samples.values()), targets)
