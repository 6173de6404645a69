"""Loading the tables of flight_ops: our asset against the bare Sling command."""

from __future__ import annotations

import json

from benchmarks.measure import Variant, VariantFailedError, measure, median
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
from factories.sling.connections import TARGET
from factories.sling.program import find_binary

REPLICATION = "sling/flight_ops.yaml"
SCHEMA = "flight_ops"
ROWS = {"airlines": 16, "airports": 1_458, "planes": 3_322, "flights": 336_776}
ASSETS = [f"{SCHEMA}/raw/{table}" for table in ROWS]
STREAMS = [f"ops.{table}" for table in ROWS]
BOUND = 1.25
TEXT = f"""\
All four tables of flight_ops ({sum(ROWS.values()):,} rows) from PostgreSQL into the embedded
warehouse, into a schema that does not exist yet. Both servers run already.

- *asset*: what a run worker does in the ingestion environment, with the location's own executor and
  an SQLite instance. Its *step* is timed by the run's events, from the moment at which the executor
  starts the step's process to the end of the step: the start of the server from which step
  processes are forked and all its imports, the fork, building the code location from its YAML,
  Sling, counting rows, reading columns, the checks, and writing every event and log line.
- *sling run*: `sling run -r {REPLICATION} --streams …` on the same streams of the same file.

The step is what counts: a run worker lives as long as its run, whatever the number of steps.
"""


def run() -> Report:
    """Measure both in systems of their own, which end with the measurement."""
    with own_systems() as (settings, folder):

        def drop() -> None:
            drop_schema(settings, SCHEMA)

        def check() -> None:
            _check_rows(settings)

        home = dagster_home(folder)
        asset_run = Variant(
            "asset",
            [str(INGESTION_PYTHON), "-m", "benchmarks.load_run", "ingestion", *ASSETS],
            {"DAGSTER_HOME": str(home), "PYTHONWARNINGS": "ignore"},
            ROOT,
            drop,
            check,
        )
        sling_run = Variant(
            "sling run",
            [find_binary(), "run", "-r", REPLICATION, "--streams", ",".join(STREAMS)],
            {**_sling_connections(settings), "SLING_HOME_DIR": str(folder / "sling")},
            ROOT,
            drop,
            check,
        )
        samples = measure([asset_run, sling_run])
    asset, sling = samples["asset"], median(samples["sling run"].whole)
    targets = [
        Target("asset's step / sling run", median(asset.inside) / sling, BOUND),
        Target("asset's run worker / sling run", median(asset.whole) / sling, BOUND, counts=False),
    ]
    return Report("Loading", TEXT, "step", list(samples.values()), targets)


def _sling_connections(settings: WarehouseSettings) -> dict[str, str]:
    """Return both connections as Sling finds them in its environment."""
    target = settings.sling_connection(RAW)
    return {
        "FLIGHT_OPS": value("FLIGHT_OPS_URL"),
        TARGET: target if isinstance(target, str) else json.dumps(target),
    }


def _check_rows(settings: WarehouseSettings) -> None:
    for table, rows in ROWS.items():
        found = row_count(settings, SCHEMA, table)
        if found != rows:
            raise VariantFailedError(f"{table} has {found} rows, not {rows}")
