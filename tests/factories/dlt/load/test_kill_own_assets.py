"""Steps of a team's own `@dlt_assets` that are killed in mid-load, and run again."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import dlt
import pytest
from dagster_dlt import DagsterDltResource, dlt_assets

from factories.core.warehouse.names import warehouse_names
from factories.dlt import dataset_name, snowflake_destination
from factories.location_defaults import default_resources
from tests.factories.dlt.conftest import Project, materialized
from tests.factories.dlt.load.killed_loads import Loads, expected
from tests.factories.dlt.load.stopping_step import (
    Completed,
    Completing,
    Extracted,
    FollowedUp,
    Loaded,
    Normalized,
    Point,
)

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dlt kill")]


@dlt.source
def shop(file: str) -> Any:
    """One table that grows and one that is merged, each read on its own from where it was."""

    def pages(at: Any) -> Any:
        del at  # dlt filters by it
        yield from json.loads(Path(file).read_text())

    @dlt.resource(write_disposition="append")
    def events(at: Any = dlt.sources.incremental("at", initial_value=0)) -> Any:  # noqa: B008 - dlt's way
        yield from pages(at)

    @dlt.resource(write_disposition="merge", primary_key="id")
    def customers(at: Any = dlt.sources.incremental("at", initial_value=0)) -> Any:  # noqa: B008 - as above
        yield from pages(at)

    return events, customers


def shop_assets(dataset: str) -> dg.AssetsDefinition:
    """What the team's Python declares, made in each process that runs it."""
    root = Path(os.environ["DP_PROJECT_DIR"])
    pipeline = dlt.pipeline(
        "own_shop",
        pipelines_dir=str(root / "pipelines"),
        destination=snowflake_destination(),
        dataset_name=dataset_name(dataset),
    )

    @dlt_assets(dlt_source=shop(str(root / "rows.json")), dlt_pipeline=pipeline)
    def assets(context: dg.AssetExecutionContext, dlt: DagsterDltResource) -> Any:
        yield from dlt.run(context=context)

    return assets


def run(project: Project) -> dg.ExecuteInProcessResult:
    result = dg.materialize(
        [shop_assets(project.dataset)],
        instance=project.instance,
        resources=default_resources(warehouse_names()),
        raise_on_error=False,
    )
    project.results.append(result)
    assert result.success, project.failure()
    return result


@pytest.fixture(scope="module")
def loads(shared_project: Project) -> Loads:
    """Each test loads on top of what is there; every file of a table holds two rows."""
    return Loads(shared_project)


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four rows each table has two files, one of which can be loaded and the other not."""
    monkeypatch.setenv("NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS", "2")


@pytest.mark.parametrize(
    "point",
    [
        Extracted(),
        Normalized(),
        Loaded(["events"]),
        Loaded(["events", "events__tags"], files=3),
        FollowedUp("customers", 4),
        Completing(),
        Completed(),
    ],
    ids=str,
)
def test_killed_load_is_repeated_and_nothing_is_lost_or_there_twice(
    loads: Loads, point: Point
) -> None:
    project = loads.project
    if not loads.given:
        loads.give(2)
        run(project)
    loads.give(4)

    left = loads.kill(point, own_assets=partial(shop_assets, project.dataset))
    assert left
    again = run(project)

    assert loads.rows("events") == expected(*loads.given, key=False)
    assert loads.rows("customers") == expected(*loads.given)
    assert loads.notes() == 0
    assert not any(folder.exists() for folder in left)
    assert set(materialized(again)) == {"dlt_shop_events", "dlt_shop_customers"}
