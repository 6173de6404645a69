"""The guide to a first model: its files work as they stand there."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from snowflake.snowpark import Session

from factories.core.assets.context import LoadContext
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.problems import format_problems, sorted_problems
from factories.snowpark.assets import build_snowpark_assets
from tests.conftest import WarehouseUnderTest
from tests.factories.snowpark.model_project import forget_modules

GUIDE = (Path(__file__).parents[4] / "docs" / "guides" / "first-model.md").read_text()
FILES = ("snowpark/cancellation.py", "snowpark/cancellation.yaml")
KEYS = [["ml", "cancellation", name] for name in ("flights", "cancelled", "probabilities")]


def block(pattern: str) -> str:
    """Return the one fenced block of the guide that begins like this."""
    (found,) = re.findall(rf"```\w*\n({pattern}.*?)```", GUIDE, re.DOTALL)
    return str(found)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of the guide's files."""
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "snowpark").mkdir()
    for name in FILES:
        (tmp_path / name).write_text(block(f"# {name}"), encoding="utf-8")
    forget_modules()
    return tmp_path


@pytest.fixture
def names(warehouse: WarehouseUnderTest, session: Session) -> Iterator[WarehouseNames]:
    """A branch deployment's databases, with a year of made flights in the mart."""
    suffix = f"__G_{uuid.uuid4().hex[:8]}".upper()
    for database in ("ANALYTICS", "ML"):
        warehouse.rows(f"create database {database}{suffix}")
    warehouse.rows(f"create schema ANALYTICS{suffix}.MARTS")
    session.write_pandas(
        make_flights(),
        "FCT_FLIGHTS",
        database=f"ANALYTICS{suffix}",
        schema="MARTS",
        auto_create_table=True,
    )
    yield WarehouseNames("guide", database_suffix=suffix)
    for database in ("ANALYTICS", "ML"):
        warehouse.rows(f"drop database {database}{suffix}")


def make_flights(rows: int = 2_000) -> pd.DataFrame:
    """Flights of 2013; the worse the visibility, the more are cancelled."""
    rng = np.random.default_rng(1)
    moments = pd.Timestamp("2013-01-01 06:00") + pd.to_timedelta(
        np.linspace(0, 364 * 24, rows).astype(int), unit="h"
    )
    visibility = rng.uniform(0, 10, rows)
    return pd.DataFrame(
        {
            "FLIGHT_ID": np.arange(rows),
            "FLIGHT_DATE": moments.date,
            "SCHEDULED_DEPARTURE_AT": moments,
            "DISTANCE_MILES": rng.integers(100, 3000, rows),
            "WIND_SPEED_MPH": rng.uniform(0, 40, rows),
            "PRECIPITATION_IN": rng.exponential(0.1, rows),
            "VISIBILITY_MILES": visibility,
            "IS_CANCELLED": rng.uniform(0, 10, rows) > visibility + 4,
        }
    )


def test_the_guides_files_build_features_train_and_score(
    root: Path, names: WarehouseNames, warehouse: WarehouseUnderTest
) -> None:
    load_context = LoadContext(root, names, AutomationConditions())
    assets = build_snowpark_assets(root / "snowpark", load_context)
    assert load_context.problems == []

    selection = dg.AssetSelection.assets(*KEYS)
    assert dg.materialize(assets, selection=selection).success

    schema = f"{names.database('ML')}.CANCELLATION"
    statuses = warehouse.rows(f"select version, status from {schema}.MODELS")
    assert statuses == [(1, "champion")]
    counted = warehouse.rows(f"""
        select count(*), count(distinct flight_id), min(probability) >= 0, max(probability) <= 1
        from {schema}.PROBABILITIES
    """)
    assert counted == [(2_000, 2_000, True, True)]


def test_the_guides_mistake_is_reported_as_it_shows(root: Path) -> None:
    path = root / "snowpark" / "cancellation.yaml"
    path.write_text(path.read_text().replace("cancellation:train", "cancellation:trian"))
    load_context = LoadContext(root, WarehouseNames("local"), AutomationConditions())
    build_snowpark_assets(root / "snowpark", load_context)

    assert format_problems(sorted_problems(load_context.problems)) == block("1 problem").strip("\n")
