"""Jobs, schedules and sensors that select by dbt's syntax, of one parsed project."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from factories import build_definitions
from factories.core.yaml.problems import ConfigError
from tests.factories.dbt.written_project import WrittenProject

pytestmark = [pytest.mark.xdist_group("dbt_shop"), pytest.mark.programs]

AUTOMATION = """
jobs:
  marts: {dbt_select: "tag:nightly", dbt_exclude: "forecast stg_items"}
  staging: {dbt_select: "path:models/staging"}
schedules:
  nightly: {cron: "0 5 * * *", dbt_select: "resource_type:snapshot"}
sensors:
  after: {type: dbt_model_update, models: "staging.*", when: all, job: marts}
"""


@pytest.fixture(scope="module")
def automated(shop: WrittenProject) -> Iterator[WrittenProject]:
    """The project with an automation file; the others are left as they are."""
    path = shop.root / "automation.yaml"
    path.write_text(AUTOMATION)
    yield shop
    path.unlink()


def load(shop: WrittenProject) -> dg.Definitions:
    with shop.environ():
        return build_definitions(dbt=shop.dbt, automation="automation.yaml")


def selected(definitions: dg.Definitions, job: str) -> set[str]:
    keys = definitions.resolve_job_def(job).asset_layer.executable_asset_keys
    return {key.to_user_string() for key in keys}


def test_a_selection_is_what_dbt_makes_of_it(automated: WrittenProject) -> None:
    definitions = load(automated)
    jobs = {name: selected(definitions, name) for name in ("marts", "staging", "nightly")}

    assert jobs == {
        "marts": {"marts/sales/totals_v1", "marts/sales/totals_v2", "reports/sales/daily"},
        "staging": {"shop/stg/items", "shop/stg/orders"},
        "nightly": {
            "snapshots/items_history",
            "snapshots/orders_history",
            "snapshots/rates_history",
        },
    }


def test_dbt_is_asked_once_for_a_manifest(
    automated: WrittenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = selected(load(automated), "marts")
    monkeypatch.setattr("factories.dbt.model_selection.sys.executable", "/nowhere/python")

    assert selected(load(automated), "marts") == before


def test_updates_of_the_selected_models_are_followed(automated: WrittenProject) -> None:
    definitions = load(automated)
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("after")
    cursor = None
    looks = []
    with dg.DagsterInstance.ephemeral() as instance:
        for key in (None, "shop/stg/orders", "shop/stg/items"):
            if key is not None:
                instance.report_runless_asset_event(dg.AssetMaterialization(key.split("/")))
            with dg.build_sensor_context(
                instance, cursor=cursor, repository_def=repository
            ) as context:
                data = sensor.evaluate_tick(context)
            cursor = data.cursor
            looks.append([request.tags["dp/cause"] for request in data.run_requests])

    assert looks == [
        [],
        [],
        ["asset shop/stg/items and 1 more, reported from outside of Dagster"],
    ]


def test_what_dbt_does_not_take_and_what_selects_nothing_are_problems(
    automated: WrittenProject,
) -> None:
    path = automated.root / "wrong.yaml"
    path.write_text(
        """jobs:
  method: {dbt_select: "tagg:nightly"}
  nothing: {dbt_select: "+stg_itmes"}
  all_left_out: {dbt_select: stg_items, dbt_exclude: "stg_items"}
  no_exclude: {dbt_select: stg_items, dbt_exclude: "forcast"}
"""
    )
    with automated.environ(), pytest.raises(ConfigError) as error:
        build_definitions(dbt=automated.dbt, automation="wrong.yaml")
    path.unlink()

    assert [str(problem) for problem in error.value.problems] == [
        "wrong.yaml:2:24: dbt_select: dbt refuses it: 'tagg' is not a valid method name",
        "wrong.yaml:3:25: dbt_select: '+stg_itmes' selects no model; did you mean 'stg_items'?",
        (
            "wrong.yaml:4:30: dbt_select: 'stg_items' selects no model but those that 'stg_items'"
            " leaves out"
        ),
        ("wrong.yaml:5:52: dbt_exclude: 'forcast' leaves out no model; did you mean 'forecast'?"),
    ]
