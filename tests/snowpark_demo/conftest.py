from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from snowflake.snowpark import DataFrame, Session

from factories.core.python_refs.importer import import_module
from tests.snowpark_demo import flights

FOLDER = Path(__file__).parents[2] / "snowpark"


@pytest.fixture(scope="session")
def marts() -> dict[str, pd.DataFrame]:
    """The inputs as pandas has them; not to be changed."""
    return flights.marts()


@pytest.fixture(scope="session")
def session(warehouse) -> Iterator[Session]:
    """Snowpark on a database of these tests' own, which all of them read."""
    name = f"T_{uuid.uuid4().hex[:8]}".upper()
    warehouse.rows(f"create database {name}")
    settings = {**warehouse.settings, "database": name, "schema": "PUBLIC"}
    opened = Session.builder.configs({**settings, "login_timeout": 20, "network_timeout": 60})
    with opened.create() as session:
        yield session
    warehouse.rows(f"drop database {name}")


@pytest.fixture(scope="session")
def inputs(session, marts) -> dict[str, DataFrame]:
    """The inputs in the warehouse."""
    return {name: written(session, frame, name) for name, frame in marts.items()}


@pytest.fixture(scope="session")
def features_module():
    return import_module("delay.features", FOLDER)


@pytest.fixture(scope="session")
def build(session, inputs, features_module):
    """Builds the features, of the inputs' flights or of others, as pandas has them by flight."""

    def built(flights: pd.DataFrame | None = None) -> pd.DataFrame:
        changed = {} if flights is None else {"flights": written(session, flights, "changed")}
        frame = features_module.flight_features(session, {**inputs, **changed}).to_pandas()
        return frame.rename(columns=str.lower).set_index("flight_id").sort_index()

    return built


@pytest.fixture(scope="session")
def built(build) -> pd.DataFrame:
    """The features of the inputs as they are."""
    return build()


def written(session: Session, frame: pd.DataFrame, table: str) -> DataFrame:
    """The rows as a table."""
    return session.write_pandas(
        frame.rename(columns=str.upper),
        table.upper(),
        auto_create_table=True,
        overwrite=True,
        use_logical_type=True,
    )
