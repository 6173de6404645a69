"""A million rows of a database through our asset, with each backend of `sql_database`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psycopg

from benchmarks.measure import Samples, Variant, VariantFailedError, measure, median
from benchmarks.report import Report, Target
from benchmarks.systems import ROOT, drop_schema, own_systems, row_count
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.yaml.variables import value
from factories.dlt.source.database_source import BACKEND

ROWS = 1_000_000
TABLE = "generated"
SCHEMA = "bench"
BACKENDS = ("pyarrow", "sqlalchemy", "connectorx")
PART = "extract and normalize"
TEXT = f"""\
{ROWS:,} generated rows of eight columns (numbers, texts, a date, a timestamp, a boolean) from
PostgreSQL into the embedded warehouse, as parquet, into a schema that does not exist yet. Both
servers run already. Our asset runs in one process; the *load* is the time of dlt's steps extract,
normalize and load.

- *{BACKEND}*: what a pipeline file without `backend` gets. Rows become Arrow tables in chunks.
- *sqlalchemy*: dlt's own default. Every row is a Python dictionary.
- *connectorx*: a driver in Rust that makes Arrow tables. The pipeline file must name it, and its
  package be installed.
"""
CREATE = f"""
drop schema if exists {SCHEMA} cascade;
create schema {SCHEMA};
create table {SCHEMA}.{TABLE} as
select n as id,
       (n % 977)::int as customer_id,
       'code ' || n % 4999 as code,
       md5(n::text) as reference,
       (n % 100000) / 4.0::double precision as amount,
       n % 3 = 0 as is_open,
       date '2020-01-01' + (n % 1461)::int as day,
       timestamptz '2020-01-01 00:00:00+00' + n * interval '1 second' as updated_at
from generate_series(1, {ROWS}::bigint) as n;
analyze {SCHEMA}.{TABLE};
"""
PIPELINE = """\
pipeline: bench
dataset: {schema}
source:
  sql_database:
    credentials: ${{FLIGHT_OPS_URL}}
    schema: {schema}
{backend}resources:
  {table}:
    write_disposition: append
"""


def run() -> Report:
    """Measure the backends in systems of their own, which end with the measurement."""
    with own_systems() as (settings, folder):
        url = value("FLIGHT_OPS_URL")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(CREATE)
        variants = [_variant(backend, settings, folder, url) for backend in BACKENDS]
        return report(list(measure(variants).values()))


def write_project(folder: Path, backend: str) -> None:
    """Write a project with one pipeline; the default backend is not named."""
    pipelines = folder / "dlt_pipelines"
    pipelines.mkdir(parents=True)
    named = "" if backend == BACKEND else f"    backend: {backend}\n"
    if backend == "connectorx":
        named += '    backend_kwargs: {conn: "${CONNECTORX_URL}"}\n'
    text = PIPELINE.format(schema=SCHEMA, table=TABLE, backend=named)
    (pipelines / "bench.yaml").write_text(text, encoding="utf-8")


def _variant(backend: str, settings: WarehouseSettings, folder: Path, url: str) -> Variant:
    project = folder / backend
    write_project(project, backend)
    return Variant(
        backend,
        [sys.executable, "-m", "benchmarks.dlt.backend_run"],
        {
            "DP_PROJECT_DIR": str(project),
            "FLIGHT_OPS_URL": url,
            "CONNECTORX_URL": connectorx_url(url),
            "PYTHONWARNINGS": "ignore",
        },
        ROOT,
        partial(drop_schema, settings, SCHEMA),
        partial(_check_rows, settings),
    )


def connectorx_url(url: str) -> str:
    """Return a PostgreSQL URL for connectorx, which wants a socket's folder for the host."""
    (folder,) = parse_qs(urlsplit(url).query)["host"]
    return f"postgresql://postgres@{quote(folder, safe='')}/postgres"


def report(samples: Sequence[Samples]) -> Report:
    """Compare the backends, by the whole load and by what comes before the warehouse."""
    default, dictionaries, connectorx = samples
    targets = [
        Target(
            f"{dictionaries.name} / {default.name}, load",
            median(dictionaries.inside) / median(default.inside),
            1.0,
            at_least=True,
        ),
        Target(
            f"{dictionaries.name} / {default.name}, {PART}",
            median(dictionaries.parts[PART]) / median(default.parts[PART]),
            1.0,
            at_least=True,
        ),
        Target(
            f"{connectorx.name} / {default.name}, load",
            median(connectorx.inside) / median(default.inside),
            1.0,
            counts=False,
        ),
    ]
    rates = ["| backend | load, rows/s | " + PART + ", rows/s |", "| --- | ---: | ---: |"]
    rates += [f"| {s.name} | {_rate(s.inside)} | {_rate(s.parts[PART])} |" for s in samples]
    return Report(
        "Backends of sql_database", TEXT, "load", samples, targets, "\n".join([*rates, ""])
    )


def _rate(seconds: Sequence[float]) -> str:
    return f"{round(ROWS / median(seconds), -2):,.0f}"


def _check_rows(settings: WarehouseSettings) -> None:
    found = row_count(settings, SCHEMA, TABLE)
    if found != ROWS:
        raise VariantFailedError(f"{TABLE} has {found} rows, not {ROWS}")
