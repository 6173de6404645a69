"""Building the demo's dbt project: our assets against a bare `dbt build`."""

from __future__ import annotations

import subprocess
from contextlib import closing
from functools import partial

from benchmarks.measure import Samples, Variant, VariantFailedError, measure, median
from benchmarks.report import Report, Target
from benchmarks.systems import DP, ROOT, TRANSFORMATION_PYTHON, dagster_home, own_systems
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.environment import dbt_environment

DATABASE = "ANALYTICS"
SCHEMAS = ("STAGING", "INTERMEDIATE", "MARTS", "SNAPSHOTS", "SEEDS")
ROWS = {"FCT_FLIGHTS": 336_776, "CARRIER_MONTHLY": 185, "ORIGIN_DAILY": 1_095}
BOUND = 1.25
SECONDS = 300
TEXT = """\
The whole of `dbt_project/`, with its tests, over what Sling and dlt have loaded of the sample
systems, in the embedded warehouse, which runs already. The *first build* finds no schema; the
*second build* finds nothing new.

- *assets*: what a run worker does in the transformation environment, with the location's own
  executor and an SQLite instance. Its *step* is timed by the run's events, from the moment at which
  the executor starts the step's process to the end of the step: the start of the server from which
  step processes are forked and all its imports, the fork, building the code location from the
  manifest, dbt, counting rows, reading columns and their lineage, and writing every event and log
  line.
- *dbt build*: the command, in the same environment, on the same project.

Both have a manifest and dbt's partial parse from an earlier turn.
"""


def run() -> Report:
    """Measure both in systems of their own, which end with the measurement."""
    with own_systems() as (settings, folder):
        _load_raw()
        home = dagster_home(folder / "bench")
        of_assets = {"DAGSTER_HOME": str(home), "PYTHONWARNINGS": "ignore"}
        build = [str(TRANSFORMATION_PYTHON.with_name("dbt")), "--no-use-colors", "build"]
        build += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
        variants = []
        for what, from_scratch in (("first build", True), ("second build", False)):
            before = partial(_drop_schemas, settings) if from_scratch else _nothing
            variants += [
                Variant(
                    f"assets, {what}",
                    [
                        str(TRANSFORMATION_PYTHON),
                        "-m",
                        "benchmarks.load_run",
                        "transformation",
                        "*",
                    ],
                    of_assets,
                    ROOT,
                    before,
                    partial(_check_rows, settings),
                ),
                Variant(
                    f"dbt build, {what}",
                    build,
                    dbt_environment(settings),
                    ROOT / "dbt_project",
                    before,
                    partial(_check_rows, settings),
                ),
            ]
        # In turns: first build, second build of the assets; the same of dbt.
        return report(measure([variants[0], variants[2], variants[1], variants[3]]))


def report(samples: dict[str, Samples]) -> Report:
    """Compare the assets with the command, for the first build and for the one after it."""
    targets = []
    for what in ("first build", "second build"):
        assets, dbt = samples[f"assets, {what}"], median(samples[f"dbt build, {what}"].whole)
        targets += [
            Target(f"assets' step / dbt build, {what}", median(assets.inside) / dbt, BOUND),
            Target(
                f"assets' run worker / dbt build, {what}",
                median(assets.whole) / dbt,
                BOUND,
                counts=False,
            ),
        ]
    return Report("Building the dbt project", TEXT, "step", list(samples.values()), targets)


def _load_raw() -> None:
    """Load everything that the project reads, as a user does."""
    subprocess.run(
        [str(DP), "run", "flight_ops", "weather_api", "calendar"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )


def _nothing() -> None:
    pass


def _drop_schemas(settings: WarehouseSettings) -> None:
    with closing(settings.connect(DATABASE)) as connection, connection.cursor() as cursor:
        for schema in SCHEMAS:
            cursor.execute(f"drop schema if exists {DATABASE}.{schema} cascade")


def _check_rows(settings: WarehouseSettings) -> None:
    with closing(settings.connect(DATABASE)) as connection, connection.cursor() as cursor:
        for table, rows in ROWS.items():
            found = cursor.execute(f"select count(*) from {DATABASE}.MARTS.{table}").fetchone()[0]
            if found != rows:
                raise VariantFailedError(f"{table} has {found} rows, not {rows}")
