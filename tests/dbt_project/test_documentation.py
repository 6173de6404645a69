"""The manifest: what is described, owned, tested and told to Dagster."""

from __future__ import annotations

import json
from typing import Any

import pytest

from factories.core.meta.built_in_conditions import BUILT_IN
from factories.core.meta.dagster_meta import DagsterMeta
from tests.dbt_project.dbt_runs import PROJECT, DbtProject
from tests.dbt_project.stages import Stage

pytestmark = pytest.mark.xdist_group("dbt_project")


@pytest.fixture(scope="module")
def manifest(project: DbtProject, built: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.target_path / "manifest.json").read_text())
    return found


@pytest.fixture(scope="module")
def nodes(manifest) -> dict[str, dict[str, Any]]:
    """The manifest's models, seeds, snapshots and sources, by id."""
    found = {**manifest["nodes"], **manifest["sources"]}
    kinds = {"model", "seed", "snapshot", "source"}
    return {key: node for key, node in found.items() if node["resource_type"] in kinds}


def test_every_table_and_column_is_described(nodes) -> None:
    assert len(nodes) == 17 + 2 + 1 + 8
    silent = [key for key, node in nodes.items() if not node["description"].strip()]
    silent += [
        f"{key}.{name}"
        for key, node in nodes.items()
        for name, column in node["columns"].items()
        if not column["description"].strip()
    ]
    assert silent == []


def test_what_is_described_is_what_the_tables_have(
    nodes, project: DbtProject, raw, analytics
) -> None:
    described = {
        (node["schema"].upper(), (node.get("alias") or node["identifier"]).upper()): {
            name.upper() for name in node["columns"]
        }
        for node in nodes.values()
    }
    actual: dict[tuple[str, str], set[str]] = {key: set() for key in described}
    for connection in (raw, analytics):
        query = "select table_schema, table_name, column_name from information_schema.columns"
        for schema, table, column in connection.cursor().execute(query).fetchall():
            if (schema, table) in actual:
                actual[schema, table].add(column)
    assert described == actual


def test_described_columns_are_comments_in_the_warehouse(built: Stage) -> None:
    (comment,) = built.rows("""
        select comment from information_schema.columns
        where table_schema = 'MARTS' and table_name = 'FCT_FLIGHTS' and column_name = 'IS_ON_TIME'
    """)
    assert str(comment[0]).startswith("Whether the flight arrived less than 15 minutes late.")


def test_everything_that_is_made_has_a_group_and_marts_have_contracts(nodes) -> None:
    made = [node for node in nodes.values() if node["resource_type"] != "source"]
    assert [node["name"] for node in made if not node["config"]["group"]] == []
    for node in made:
        mart = "marts" in node["fqn"]
        assert node["config"].get("contract", {}).get("enforced", False) is mart, node["name"]


def test_sources_and_models_lie_where_their_keys_come_from(nodes) -> None:
    for node in nodes.values():
        folder = node["original_file_path"].split("/")[1:-1]
        if node["resource_type"] == "source":
            assert folder == ["staging", node["source_name"]]
        elif folder[:1] == ["staging"]:
            assert node["name"].startswith(f"stg_{folder[1]}__")
        elif folder[:1] == ["marts"]:
            assert folder[1] in {"common", "operations"}


def test_dagsters_blocks_are_in_its_vocabulary(nodes) -> None:
    conditions = {condition.name for condition in BUILT_IN}
    blocks = {key: node["config"]["meta"]["dagster"] for key, node in nodes.items()}
    for key, block in blocks.items():
        assert DagsterMeta.model_validate(block).automation_condition in conditions, key
    backfill = DagsterMeta.model_validate(blocks["model.data_platform.fct_flights"]).backfill
    assert backfill
    assert (backfill.type, backfill.start) == ("monthly", "2013-01-01")


def test_everything_that_is_made_builds_by_itself(nodes) -> None:
    """Marts wait for all that they read, seeds too: one that is made by hand would stop them."""
    conditions = {
        key: node["config"]["meta"]["dagster"]["automation_condition"]
        for key, node in nodes.items()
    }
    assert "manual_only" not in conditions.values()
    # Nothing updates a seed or a source's checks: they need a clock.
    of_clock = {key for key, name in conditions.items() if name == "on_cron_no_deps"}
    assert of_clock == {key for key in nodes if key.startswith(("seed.", "source."))}


def test_groups_have_owners_that_dagster_takes(manifest) -> None:
    owners = {group["name"]: group["owner"]["email"] for group in manifest["groups"].values()}
    assert set(owners) == {"common", "flight_ops", "operations", "weather"}
    for email in owners.values():
        DagsterMeta.model_validate({"owners": [email]})


def test_exposures_read_public_marts_and_say_whom_to_ask(manifest) -> None:
    assert {e["name"] for e in manifest["exposures"].values()} == {
        "arrival_delay_model",
        "punctuality_dashboard",
    }
    for exposure in manifest["exposures"].values():
        assert exposure["owner"]["email"]
        for key in exposure["depends_on"]["nodes"]:
            assert manifest["nodes"][key]["access"] == "public", key


def test_no_file_holds_a_secret_or_needs_a_package() -> None:
    profile = (PROJECT / "profiles.yml").read_text()
    for line in profile.splitlines():
        if line.strip().startswith(("password", "private_key", "account", "user")):
            assert "env_var(" in line
    assert not (PROJECT / "packages.yml").exists()
