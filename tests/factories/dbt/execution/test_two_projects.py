"""Two dbt projects of one code location: a run builds both, each in its step and its pool."""

from __future__ import annotations

import dagster as dg
import pytest

from factories.core.warehouse.names import warehouse_names
from factories.dbt.prepare import prepare
from factories.definitions import read_project
from factories.location_defaults import default_resources
from tests.factories.dbt.conftest import PROFILE, PROJECT, Project, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dbt windows")]


def test_run_of_two_projects(project: Project) -> None:
    project.write("models/totals.sql", "select 3 as total")
    books = {
        "dbt_project.yml": PROJECT.replace("shop", "books"),
        "profiles.yml": PROFILE.replace("shop:", "books:"),
        "models/sources.yml": """
            sources:
              - name: shop
                database: ANALYTICS
                schema: "{s}"
                tables: [{name: totals, config: {meta: {dagster: {asset_key: totals}}}}]
        """,
        "models/balance.sql": "select total * 2 as balance from {{ source('shop', 'totals') }}",
    }
    for name, text in books.items():
        project.write(f"../books/{name}", text)
    prepare(project.folder, warehouse_names())
    prepare(project.root / "books", warehouse_names())
    build, assets = read_project(dbt=("shop", "books"))
    assert not build.problems

    result = dg.materialize(
        assets,
        instance=project.instance,
        raise_on_error=False,
        resources=default_resources(build.names),
    )

    assert result.success
    assert list(materialized(result)) == ["totals", "balance"]
    assert project.rows("select balance from {s}.balance") == [(6,)]
    steps = [asset.op for asset in assets if isinstance(asset, dg.AssetsDefinition)]
    assert {op.name: op.pool for op in steps if isinstance(op, dg.OpDefinition)} == {
        "dbt__shop": "dbt_shop",
        "dbt__books": "dbt_books",
    }
