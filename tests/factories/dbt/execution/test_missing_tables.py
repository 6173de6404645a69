"""Tests that read a table which is no dependency of their model, and is not there yet."""

from __future__ import annotations

import dagster as dg
import pytest

from tests.factories.dbt.conftest import Project, checked

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dbt missing tables")]

FILES = {
    "models/marts/facts.sql": "{{ config(materialized='table') }} select 1 as airport",
    "models/marts/airports.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/marts/marts.yml": """
        models:
          - name: facts
            columns:
              - name: airport
                data_tests:
                  - not_null
                  - relationships: {arguments: {to: ref('airports'), field: id}}
    """,
}
TEST = "relationships_facts_airport__id__ref_airports_"


def test_result_is_unknown_until_the_table_is_there(project: Project) -> None:
    for name, text in FILES.items():
        project.write(name, text)

    first = project.run("key:marts/facts")
    assert first.success, project.log()
    (unknown,) = [e for e in first.get_asset_check_evaluations() if e.check_name == TEST]
    assert (unknown.passed, unknown.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert unknown.description is not None
    assert unknown.description.endswith(".AIRPORTS, which does not exist yet.")

    assert project.run("key:marts/airports").success
    second = project.run("key:marts/facts")
    assert {value for name, value in checked(second).items() if TEST in name} == {"passed"}
