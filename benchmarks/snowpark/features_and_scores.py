"""The demo's features and scores: our assets against a script that does the same with pandas."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import partial

from benchmarks.measure import Samples, Variant, VariantFailedError, measure, median
from benchmarks.report import Report, Target
from benchmarks.snowpark.delay_in_pandas import FEATURES, PREDICTIONS, SCHEMA
from benchmarks.systems import DP, ML_PYTHON, ROOT, dagster_home, own_systems, query
from factories.core.warehouse.settings import WarehouseSettings
from factories.snowpark.config.relations import ML

# What the features read, all that this is made of, and the model.
BEFORE = (
    "calendar",
    "common",
    "flight_ops",
    "operations",
    "seeds",
    "snapshots",
    "weather_api",
    "ml/delay/delay_features",
    "ml/delay/arrival_delay",
)
ASSETS = ("ml/delay/delay_features", "ml/delay/arrival_delay_predictions")
OURS = f"{ML}.DELAY"
BY_HAND = f"{ML}.{SCHEMA}"
FLIGHTS = 336_776
ROWS = 328_521
CLOSE = 1e-9
SECONDS = 600
# By the name of the part in the script, the key of the step that does the same.
STEPS = {
    "features": "snowpark_tables__delay",
    "scores": "snowpark__delay__arrival_delay_predictions",
}
TEXT = f"""\
The features of all flights ({FLIGHTS:,}, of which {ROWS:,} were not cancelled) from the tables that
dbt has built, and the champion's probability for each of them; both are written as tables that are
not there yet. The embedded warehouse runs already, on the same machine as everything else. No part
limits its threads.

- *assets*: what a run worker does in the machine learning environment, with the location's own
  executor and an SQLite instance. The features are a query of the warehouse, and the model is a
  vectorized function in it. Steps are timed by the run's events, from the moment at which the
  executor starts a step's process to the end of the step. Of the features that is also the start of
  the server from which step processes are forked, and all its imports; of both the fork, building
  the code location from its YAML, the checks of rows and keys, reading columns, the assets' checks,
  how far the features have drifted, and writing every event and log line.
- *pandas*: the script `benchmarks/snowpark/delay_in_pandas.py`, in the same environment. It reads
  the same tables with the Python connector, computes the features with pandas, loads the same model
  from the registry, whose hash is verified, and writes both tables with `write_pandas`. The scores
  are those of the features that it still holds. It checks nothing. Its features are timed from the
  start of the process, imports included; its scores from there to the end.

After each run of the script its tables are compared with those of the assets: the benchmark fails
when one row is missing, or one value of one column differs by more than {CLOSE:g}.
"""


def run() -> Report:
    """Measure both in systems of their own, which end with the measurement."""
    with own_systems() as (settings, folder):
        subprocess.run(
            [str(DP), "run", *BEFORE],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        home = dagster_home(folder / "bench")
        variants = [
            Variant(
                "assets",
                [str(ML_PYTHON), "-m", "benchmarks.load_run", "ml", *ASSETS],
                {"DAGSTER_HOME": str(home), "PYTHONWARNINGS": "ignore"},
                ROOT,
                partial(_drop, settings, OURS),
                partial(_check_rows, settings, OURS),
            ),
            Variant(
                "pandas",
                [str(ML_PYTHON), "-m", "benchmarks.snowpark.delay_in_pandas"],
                {"PYTHONWARNINGS": "ignore"},
                ROOT,
                partial(_drop, settings, BY_HAND),
                partial(_check_same, settings),
            ),
        ]
        return report(measure(variants))


def report(samples: dict[str, Samples]) -> Report:
    """Compare the assets with the script: the features, the scores, and all of both."""
    assets, pandas = samples["assets"], samples["pandas"]
    rates = ["| variant | features, s | rows/s | scores, s | rows/s |"]
    rates += ["| --- | ---: | ---: | ---: | ---: |"]
    for name, parts in (
        ("assets", {part: assets.parts[step] for part, step in STEPS.items()}),
        ("pandas", pandas.parts),
    ):
        cells = [f"{median(parts[part]):.2f} | {_rate(parts[part])}" for part in STEPS]
        rates.append(f"| {name} | {' | '.join(cells)} |")
    targets = [
        _to_compare(f"assets' step / pandas, {part}", assets.parts[step], pandas.parts[part])
        for part, step in STEPS.items()
    ]
    targets.append(_to_compare("assets' run worker / pandas", assets.whole, pandas.whole))
    return Report(
        "Features and scores",
        TEXT,
        "features and scores",
        [assets, pandas],
        targets,
        "\n".join([*rates, ""]),
    )


def _to_compare(what: str, ours: Sequence[float], others: Sequence[float]) -> Target:
    return Target(what, median(ours) / median(others), 1.0, counts=False)


def _rate(seconds: Sequence[float]) -> str:
    return f"{round(ROWS / median(seconds), -2):,.0f}"


def _drop(settings: WarehouseSettings, schema: str) -> None:
    for table in (FEATURES, PREDICTIONS):
        query(settings, f"drop table if exists {schema}.{table}")


def _check_rows(settings: WarehouseSettings, schema: str) -> None:
    for table in (FEATURES, PREDICTIONS):
        found = query(settings, f"select count(*) from {schema}.{table}")[0][0]
        if found != ROWS:
            raise VariantFailedError(f"{schema}.{table} has {found} rows, not {ROWS}")


def _check_same(settings: WarehouseSettings) -> None:
    _check_rows(settings, BY_HAND)
    for table in (FEATURES, PREDICTIONS):
        wrong = differences(settings, f"{OURS}.{table}", f"{BY_HAND}.{table}")
        if wrong:
            counts = ", ".join(f"{column} in {rows}" for column, rows in wrong.items())
            raise VariantFailedError(f"{table}, rows that differ: {counts}")


def differences(settings: WarehouseSettings, ours: str, others: str) -> dict[str, int]:
    """Return in how many rows two tables differ, for each column that does.

    When a row was scored may differ.
    """
    columns = {
        name: kind
        for name, kind, *_ in query(settings, f"describe table {ours}")
        if name != "SCORED_AT"
    }
    counts = ", ".join(f"count_if({_differ(*column)})" for column in columns.items())
    joined = f"{ours} a full join {others} b on a.flight_id = b.flight_id"
    (found,) = query(settings, f"select {counts} from {joined}")
    return {name: rows for name, rows in zip(columns, found, strict=True) if rows}


def _differ(name: str, kind: str) -> str:
    other = f"a.{name} is distinct from b.{name}"
    numbers = kind.startswith(("NUMBER", "FLOAT"))
    return f"coalesce(abs(a.{name} - b.{name}) > {CLOSE}, {other})" if numbers else other
