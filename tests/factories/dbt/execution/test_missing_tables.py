"""Tests that read a table which is no dependency of their model, and is not there yet."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
import pytest

from factories.core.conditions.unknown_checks import may_be_unknown, unknown_checks_sensor
from factories.core.warehouse.names import warehouse_names
from factories.location_defaults import default_resources
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

    sensor = unknown_checks_sensor([unknown.asset_check_key], dg.DefaultSensorStatus.RUNNING)
    definitions = dg.Definitions(
        project.assets(),
        sensors=[sensor],
        resources=default_resources(warehouse_names(), dbt_folders=[project.folder]),
    )
    assert may_be_unknown(definitions.assets or ()) == [unknown.asset_check_key]

    def requests() -> Sequence[dg.RunRequest]:
        repository = definitions.get_repository_def()
        context = dg.build_sensor_context(project.instance, repository_def=repository)
        return sensor.evaluate_tick(context).run_requests or []

    assert requests() == []
    assert project.run("key:marts/airports").success
    (request,) = requests()
    assert request.tags["dp/cause"] == "checks were unknown without marts/airports"
    alone = definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection={*(request.asset_selection or ())},
        asset_check_selection={*(request.asset_check_keys or ())},
    )
    result = alone.execute_in_process(instance=project.instance)
    assert checked(result) == {TEST: "passed"}
    assert not result.get_asset_materialization_events()
    assert requests() == []

    second = project.run("key:marts/facts")
    assert {value for name, value in checked(second).items() if TEST in name} == {"passed"}
