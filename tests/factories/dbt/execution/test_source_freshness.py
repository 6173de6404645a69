"""`dbt source freshness`: the age of raw tables as results of their checks."""

from __future__ import annotations

import dagster as dg
import pytest

from tests.factories.dbt.conftest import Project, checked

SOURCES = """
    sources:
      - name: shop
        database: RAW
        schema: {s}
        config:
          loaded_at_field: loaded_at
          freshness: {warn_after: {count: 1, period: day}, error_after: {count: 3, period: day}}
        tables:
          - name: fresh
            columns: [{name: id, data_tests: [not_null]}]
          - name: late
          - name: stale
          - name: missing
          - {name: by_warehouse, config: {loaded_at_field: null}}
          - {name: whenever, config: {freshness: null}}
          - name: by_query
            config:
              loaded_at_field: null
              loaded_at_query: "select max(loaded_at) from RAW.{s}.late"
      - name: old
        database: RAW
        schema: {s}
        loaded_at_field: loaded_at
        freshness: {error_after: {count: 20, period: hour}}
        tables:
          - {name: late_too, identifier: late}
          - {name: whenever_too, identifier: whenever, freshness: null}
"""


@pytest.fixture
def shop_sources(project: Project) -> Project:
    project.write("models/_sources.yml", SOURCES)
    ages = {"fresh": 1, "late": 30, "stale": 100, "by_warehouse": 1, "whenever": 999, "by_query": 0}
    for table, hours in ages.items():
        project.warehouse.rows(
            f"create table RAW.{project.schema}.{table} as select 1 as id,"
            f" dateadd(hour, -{hours}, sysdate()) as loaded_at"
        )
    return project


def run(project: Project, selection: dg.AssetSelection) -> dg.ExecuteInProcessResult:
    result = project.run(selection)
    assert result.success, project.failure()
    return result


def test_source_freshness(shop_sources: Project) -> None:
    result = run(shop_sources, dg.AssetSelection.all_asset_checks())
    outcomes = {
        f"{evaluation.asset_key.path[-1]} {evaluation.check_name}": (
            "passed" if evaluation.passed else evaluation.severity.value
        )
        for evaluation in result.get_asset_check_evaluations()
    }
    assert outcomes == {
        "fresh source_freshness": "passed",
        "fresh source_not_null_shop_fresh_id": "passed",
        "late source_freshness": "WARN",
        "stale source_freshness": "ERROR",
        "missing source_freshness": "WARN",
        "by_warehouse source_freshness": "passed",
        "by_query source_freshness": "WARN",
        "late_too source_freshness": "ERROR",
    }
    found = {e.asset_key.path[-1]: e for e in result.get_asset_check_evaluations()}
    assert found["late"].metadata["age_in_seconds"].value == pytest.approx(30 * 3600, abs=600)
    table = f"RAW.{shop_sources.schema}.MISSING"
    assert found["missing"].description == f"Unknown: {table} does not exist yet."

    # What is selected alone is asked alone.
    late = dg.AssetKey(["shop", "raw", "late"])
    selection = dg.AssetSelection.checks(dg.AssetCheckKey(late, "source_freshness"))
    assert checked(run(shop_sources, selection)) == {"source_freshness": "WARN"}
