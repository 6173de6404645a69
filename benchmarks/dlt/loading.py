"""Loading the observations of weather_api: our asset against dlt by hand."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

from benchmarks.measure import Samples, Variant, VariantFailedError, measure, median
from benchmarks.report import Report, Target
from benchmarks.systems import (
    INGESTION_PYTHON,
    ROOT,
    dagster_home,
    drop_schema,
    own_systems,
    row_count,
)
from factories.core.warehouse.names import RAW
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.yaml.variables import value

ASSET = "weather_api/raw/observations"
SCHEMA = "weather_api"
SCHEMA_BY_HAND = "weather_by_hand"
ROWS = 26_115
BOUND = 1.25
TEXT = f"""\
The resource `observations` of weather_api ({ROWS:,} rows in pages of 5,000) from the sample API
into the embedded warehouse: merged by its key, with an incremental cursor, as parquet. Both servers
run already. The first load finds no schema; the second one finds nothing new.

- *asset*: what a run worker does in the ingestion environment, with the location's own executor and
  an SQLite instance. Its *step* is timed by the run's events, from the moment at which the executor
  starts the step's process to the end of the step: the start of the server from which step
  processes are forked and all its imports, the fork, building the code location from its YAML, dlt,
  counting rows, reading columns, the checks, and writing every event and log line.
- *by hand*: the script `benchmarks/dlt/weather_by_hand.py`, which calls `dlt.pipeline(…).run()` on
  the same source, in the same environment. It checks nothing, and reports only what dlt prints.

Both begin with an empty working folder, as in a container: state and schema come from the
warehouse. The step is what counts: a run worker lives as long as its run, whatever the number of
steps.
"""


def run() -> Report:
    """Measure both in systems of their own, which end with the measurement."""
    with own_systems() as (settings, folder):
        of_asset = {"DAGSTER_HOME": str(dagster_home(folder)), "PYTHONWARNINGS": "ignore"}
        by_hand = {"DESTINATION__SNOWFLAKE__CREDENTIALS": _credentials(settings)}
        work = folder / "dlt"
        asset_command = [str(INGESTION_PYTHON), "-m", "benchmarks.load_run", "ingestion", ASSET]
        hand_command = [str(INGESTION_PYTHON), "-m", "benchmarks.dlt.weather_by_hand"]
        hand_command += [value("WEATHER_API_URL"), str(work), SCHEMA_BY_HAND]
        variants = []
        for load, from_scratch in (("first load", True), ("nothing new", False)):
            variants += [
                Variant(
                    f"asset, {load}",
                    asset_command,
                    of_asset,
                    ROOT,
                    partial(_prepare, settings, SCHEMA, work, from_scratch=from_scratch),
                    partial(_check_rows, settings, SCHEMA),
                ),
                Variant(
                    f"by hand, {load}",
                    hand_command,
                    by_hand,
                    ROOT,
                    partial(_prepare, settings, SCHEMA_BY_HAND, work, from_scratch=from_scratch),
                    partial(_check_rows, settings, SCHEMA_BY_HAND),
                ),
            ]
        return report(measure(variants))


def report(samples: dict[str, Samples]) -> Report:
    """Compare the asset with the script, for the first load and for the one after it."""
    targets = []
    for load in ("first load", "nothing new"):
        asset, hand = samples[f"asset, {load}"], median(samples[f"by hand, {load}"].whole)
        targets += [
            Target(
                f"asset's step / by hand, {load}",
                median(asset.inside) / hand,
                BOUND,
                counts=load == "first load",
            ),
            Target(
                f"asset's run worker / by hand, {load}",
                median(asset.whole) / hand,
                BOUND,
                counts=False,
            ),
        ]
    return Report("Loading with dlt", TEXT, "step", list(samples.values()), targets)


def _prepare(settings: WarehouseSettings, schema: str, work: Path, *, from_scratch: bool) -> None:
    shutil.rmtree(work, ignore_errors=True)
    if from_scratch:
        drop_schema(settings, schema)


def _check_rows(settings: WarehouseSettings, schema: str) -> None:
    found = row_count(settings, schema, "observations")
    if found != ROWS:
        raise VariantFailedError(f"{schema} has {found} rows, not {ROWS}")


def _credentials(settings: WarehouseSettings) -> str:
    """Return the warehouse's URL as dlt finds it in its environment: a query holds texts only."""
    options = settings.dlt_credentials(RAW)["query"]
    texts = {name: text for name, text in options.items() if name != "session_parameters"}
    login = f"{quote(settings.user, safe='')}:{quote(settings.password or '', safe='')}"
    query = {**texts, "warehouse": settings.warehouse, "role": settings.role}
    return f"snowflake://{login}@{settings.account}/{RAW}?{urlencode(query)}"
