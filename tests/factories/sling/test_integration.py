"""What holds this project to dagster-sling: an upgrade that moves something fails here by name."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

import inspect
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_shared.serdes import serialize_value
from dagster_sling import (
    DagsterSlingTranslator,
    SlingConnectionResource,
    SlingResource,
    sling_assets,
)

from factories.core.warehouse.names import WarehouseNames, warehouse_names
from factories.definitions import build_definitions, read_project
from factories.location_defaults import default_resources
from factories.sling import sling_internals
from factories.sling.connections import SlingEnvironment
from factories.sling.python_replications import PythonReplication
from factories.sling.resource import ReplicationSlingResource, create_sling_resource
from factories.sling.translator import ReplicationTranslator
from tests.factories.conftest import YamlProject
from tests.factories.sling.conftest import Project, Source, materialized

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "guides" / "sling.md"
TWO_MEGABYTES = 2_000_000
pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sling")]


def replication(source: Source, *streams: str, **settings: Any) -> dict[str, Any]:
    """A replication as people write it in Python."""
    return {
        "source": "shop",
        "target": "SNOWFLAKE",
        "defaults": {"object": f"{source.schema}.{{stream_table}}", **settings},
        "streams": {f"{source.schema}.{name}": None for name in streams},
    }


def run(project: Project, *assets: Any, **options: Any) -> dg.ExecuteInProcessResult:
    """Materialize assets written in Python on the location's own resources."""
    result = dg.materialize(
        assets,
        instance=project.instance,
        raise_on_error=False,
        **{"resources": project.resources(), **options},
    )
    project.results.append(result)
    return result


# --- the types ---


def test_the_translator_is_dagster_slings() -> None:
    assert issubclass(ReplicationTranslator, DagsterSlingTranslator)


def test_the_resource_is_dagster_slings_and_takes_all_that_its_replicate_takes() -> None:
    assert issubclass(ReplicationSlingResource, SlingResource)
    theirs = inspect.signature(SlingResource.replicate).parameters
    ours = inspect.signature(ReplicationSlingResource.replicate).parameters
    assert set(theirs) <= set(ours)
    for method in (
        "prepare_environment",
        "run_sling_cli",
        "get_row_count_for_table",
        "get_column_info_for_table",
        "stream_raw_logs",
    ):
        assert list(inspect.signature(getattr(SlingResource, method)).parameters) == list(
            inspect.signature(getattr(ReplicationSlingResource, method)).parameters
        )


def test_the_location_offers_it_and_a_step_creates_it() -> None:
    seen = []

    @dg.asset
    def looks(sling: SlingResource) -> None:
        seen.append(sling)

    assert dg.materialize(
        [looks], resources=default_resources(warehouse_names(), sling="sling")
    ).success
    [found] = seen
    assert isinstance(found, ReplicationSlingResource)
    assert found.folder == "sling"


# --- each name that dagster-sling does not export ---


def own_assets(config: dict[str, Any]) -> dg.AssetsDefinition:
    @sling_assets(replication_config=config)
    def own(context: dg.AssetExecutionContext, sling: SlingResource) -> Any:
        yield from sling.replicate(context=context)

    return own


def test_sling_assets_keeps_its_arguments_under_these_keys() -> None:
    config = {"source": "a", "target": "b", "streams": {"s.t": {"object": "s.t"}}}
    [metadata] = own_assets(config).metadata_by_key.values()

    assert metadata[sling_internals.METADATA_KEY_REPLICATION_CONFIG] == config
    translator = metadata[sling_internals.METADATA_KEY_TRANSLATOR]
    assert isinstance(translator, DagsterSlingTranslator)


def test_streams_are_read_of_a_replication_as_sling_assets_does() -> None:
    config: dict[str, Any] = {
        "defaults": {"meta": {"dagster": {"group": "g"}}},
        "streams": {"s.a": None, "s.b": {"disabled": True}},
    }
    raw = list(sling_internals.get_streams_from_replication(config))

    assert raw == [{"name": "s.a", "config": None}]
    assert list(sling_internals.streams_with_default_dagster_meta(raw, config)) == [
        {"name": "s.a", "config": {"meta": {"dagster": {"group": "g"}}}}
    ]


def test_a_replication_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("source: a\n")

    assert sling_internals.validate_replication(path) == {"source": "a"}


def test_the_event_iterator_reads_columns_by_these_keys() -> None:
    assert (sling_internals.COLUMN_NAME_COL, sling_internals.COLUMN_TYPE_COL) == (
        "Column",
        "General Type",
    )


def test_the_event_iterator_is_what_replicate_promises() -> None:
    promised = str(inspect.signature(SlingResource.replicate).return_annotation)

    assert promised.startswith(
        f"{sling_internals.SlingEventIterator.__module__}"
        f".{sling_internals.SlingEventIterator.__name__}["
    )
    kinds = (dg.AssetMaterialization, dg.MaterializeResult)
    assert set(sling_internals.SlingEventType.__args__) == set(kinds)


# --- assets of YAML ---


TWO_STREAMS = """
    source: shop
    target: SNOWFLAKE
    defaults: {object: "{s}.{stream_table}"}
    streams:
      {s}.customers:
      {s}.orders: {meta: {dagster: {deps: [erp/raw/prices]}}}
"""


def test_columns_of_a_table_with_one_upstream_have_their_lineage(project: Project) -> None:
    project.replication(TWO_STREAMS)

    result = project.run()

    assert result.success
    found = materialized(result)
    lineage: Any = found["customers"]["dagster/column_lineage"]
    source = dg.AssetKey(["shop", "src", "customers"])
    assert lineage.deps_by_column == {
        "ID": [dg.TableColumnDep(source, "id")],
        "NAME": [dg.TableColumnDep(source, "name")],
    }
    schema: Any = found["customers"]["dagster/column_schema"]
    assert [column.name for column in schema.columns] == list(lineage.deps_by_column)
    assert found["customers"]["dagster/storage_kind"] == "snowflake"
    assert "dagster/column_lineage" not in found["orders"]


class PrefixTranslator(ReplicationTranslator):
    """Puts every asset below `lake`."""

    def get_asset_spec(self, stream_definition: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(stream_definition)
        return spec.replace_attributes(key=spec.key.with_prefix("lake"))


def test_a_key_that_a_translator_changed_holds_for_results_and_checks(project: Project) -> None:
    project.replication("""
        source: shop
        target: SNOWFLAKE
        streams:
          {s}.customers:
            object: "{s}.customers"
            meta: {dagster: {checks: {rows: {min: 2}}}}
    """)
    load_context, assets = read_project(sling="sling", sling_translator=PrefixTranslator())
    assert load_context.problems == []

    result = run(project, *assets)

    assert result.success
    key = dg.AssetKey(["lake", "shop", "raw", "customers"])
    [event] = result.get_asset_materialization_events()
    assert event.asset_key == key
    [evaluation] = result.get_asset_check_evaluations()
    assert (evaluation.asset_key, evaluation.passed) == (key, True)


def test_a_location_of_400_streams_stays_below_two_megabytes(yaml_project: YamlProject) -> None:
    for file in range(8):
        streams = (
            f"schema_{file}.table_{n}: {{description: Rows of table {n}, mode: incremental,"
            f" primary_key: [id], update_key: t, object: s{file}.t{file}_{n}}}"
            for n in range(50)
        )
        yaml_project.replication("\n".join(streams), f"file_{file}")

    location = build_definitions(sling="sling").get_repository_def()
    size = len(serialize_value(RepositorySnap.from_def(location)))

    assert len(location.asset_graph.materializable_asset_keys) == 400
    assert size < TWO_MEGABYTES


# --- assets that a team writes with @sling_assets ---


def test_a_teams_own_assets_run_with_the_isolation_of_the_factories(
    project: Project, source: Source
) -> None:
    config = replication(source, "customers", "missing", "orders")
    project.warehouse.rows("create database if not exists landing")
    config["streams"][f"{source.schema}.orders"] = {"object": "landing.{stream_schema}.orders"}
    own = own_assets(config)

    result = run(project, own)

    assert not result.success
    found = materialized(result)
    assert set(found) == {"customers", "orders"}
    assert found["orders"]["rows_loaded"] == 2
    assert found["orders"]["stream_name"] == f"{source.schema}.orders"
    assert found["orders"]["dagster/table_name"] == f"LANDING.{source.schema}.ORDERS".upper()
    failure = result.failure_data_for_node("own")
    assert failure is not None
    assert "1 of 3 streams failed; the others are loaded" in failure.error.message
    assert f"{source.schema}.missing: " in failure.error.message
    assert project.count("customers") == 2


def test_fetch_row_count_and_column_metadata_tell_of_each_table_its_own(
    project: Project, source: Source
) -> None:
    source.execute(
        "create table {s}.orders_old (was int)", "insert into {s}.orders_old values (1), (2), (3)"
    )

    @sling_assets(replication_config=replication(source, "orders_old", "orders"))
    def own(context: dg.AssetExecutionContext, sling: SlingResource) -> Any:
        events = sling.replicate(context=context)
        assert isinstance(events, sling_internals.SlingEventIterator)
        yield from events.fetch_row_count().fetch_column_metadata()

    result = run(project, own)

    assert result.success
    found: dict[str, Any] = materialized(result)
    assert found["orders_old"]["dagster/row_count"] == 3
    assert found["orders"]["dagster/row_count"] == 2
    columns = {
        name: [column.name for column in metadata["dagster/column_schema"].columns]
        for name, metadata in found.items()
    }
    assert columns == {"orders_old": ["was"], "orders": ["id", "placed", "amount"]}
    lineage = found["orders_old"]["dagster/column_lineage"].deps_by_column
    assert lineage == {
        "was": [dg.TableColumnDep(dg.AssetKey([source.schema, "orders_old"]), "was")]
    }


@pytest.mark.parametrize("with_config", [False, True])
def test_only_a_teams_selected_streams_run(
    project: Project, source: Source, with_config: bool
) -> None:
    own = own_assets(replication(source, "customers", "orders"))
    key = next(key for key in own.keys if key.path[-1] == "orders")
    config = {"run_config": {"execution": {"config": {}}}} if with_config else {}

    result = run(project, own, selection=[key], **config)

    assert result.success
    assert set(materialized(result)) == {"orders"}
    assert not project.has_table("customers")


def test_a_failed_stream_of_a_team_is_tried_again_as_its_retries_say(
    project: Project, source: Source
) -> None:
    retries = {"meta": {"dagster": {"retries": {"max": 1, "delay": "0.1s"}}}}
    own = own_assets(replication(source, "customers", "missing", **retries))

    result = run(project, own)

    assert set(materialized(result)) == {"customers"}
    log = project.messages()
    assert "(retry 1)" in log
    assert log.count(f"running stream {source.schema}.customers") == 1


def test_connections_of_a_teams_own_resource_reach_sling_and_no_log(
    project: Project, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = source.url.replace("postgres:@", "postgres:s3cret@")
    monkeypatch.setenv("DEPOT_URL", url)
    depot = SlingConnectionResource(
        name="DEPOT", type="postgres", connection_string=dg.EnvVar("DEPOT_URL")
    )
    config = {**replication(source, "customers"), "source": "DEPOT"}
    before = dict(os.environ)

    result = run(
        project,
        own_assets(config),
        resources={"sling": ReplicationSlingResource(connections=[depot], folder="sling")},
    )

    assert result.success
    assert set(materialized(result)) == {"customers"}
    assert "s3cret" not in project.log()
    assert dict(os.environ) == before


def test_tables_and_files_of_another_target_are_reported_by_sling(
    project: Project, source: Source, tmp_path: Path
) -> None:
    depot = SlingConnectionResource(name="DEPOT", type="postgres", connection_string=source.url)
    sling = ReplicationSlingResource(connections=[depot], folder="sling")

    def load(target: str, path: str) -> dict[str, Any]:
        config = {**replication(source, "orders"), "target": target}
        config["defaults"] = {"object": path}

        @sling_assets(replication_config=config)
        def own(context: dg.AssetExecutionContext, sling: SlingResource) -> Any:
            yield from sling.replicate(context=context).fetch_row_count().fetch_column_metadata()

        result = run(project, own, resources={"sling": sling})
        assert result.success
        return materialized(result)["orders"]

    table = load("DEPOT", f"{source.schema}.orders_copy")
    assert table["dagster/table_name"] == f"{source.schema}.orders_copy"
    assert (table["dagster/row_count"], table["dagster/storage_kind"]) == (2, "DEPOT")
    columns = [column.name for column in table["dagster/column_schema"].columns]
    assert columns == ["id", "placed", "amount"]
    file = load("LOCAL", f"file://{tmp_path}/orders.csv")
    assert (file["rows_loaded"], file["dagster/storage_kind"]) == (2, "LOCAL")
    assert "dagster/row_count" not in file


def test_the_streams_of_a_runs_config_take_the_place_of_a_teams_own(
    project: Project, source: Source
) -> None:
    class Config(dg.Config):
        context_streams: dict[str, Any]

    @sling_assets(replication_config=replication(source, "customers", "orders"))
    def own(context: dg.AssetExecutionContext, sling: SlingResource, config: Config) -> Any:
        yield from sling.replicate(context=context)

    streams = {f"{source.schema}.orders": {"object": f"{source.schema}.orders", "sql": "select 1"}}

    result = run(
        project, own, run_config={"ops": {"own": {"config": {"context_streams": streams}}}}
    )

    assert set(materialized(result)) == {"orders"}
    assert project.count("orders") == 1


def test_a_job_without_assets_records_what_it_loads(project: Project, source: Source) -> None:
    config = replication(source, "customers")

    @dg.op
    def load(context: dg.OpExecutionContext, sling: SlingResource) -> None:
        for event in sling.replicate(context=context, replication_config=config):
            context.log_event(event)

    job = dg.GraphDefinition("job", node_defs=[load]).to_job(resource_defs=project.resources())
    result = job.execute_in_process(instance=project.instance)

    [event] = result.get_asset_materialization_events()
    assert event.materialization.metadata["rows_loaded"].value == 2


def test_a_variable_of_the_process_is_a_connection_when_a_side_names_it(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_URL", "postgres://somebody@127.0.0.1/shop")
    config = {"source": "SHOP_URL", "target": "SNOWFLAKE"}
    environment = SlingEnvironment({"SNOWFLAKE": "y"}, frozenset(), frozenset())
    made = PythonReplication(config, {}, {}, {}, WarehouseNames("dev"))

    resolved = made.resolve(environment, "sling")

    assert resolved.connections == {
        "SNOWFLAKE": "y",
        "SHOP_URL": "postgres://somebody@127.0.0.1/shop",
    }


def test_in_dev_a_person_loads_tables_of_their_own() -> None:
    config = {
        "source": "shop",
        "target": "SNOWFLAKE",
        "defaults": {"object": "shop.{stream_table}"},
    }
    names = WarehouseNames("dev", schema_suffix="__ANA")
    environment = SlingEnvironment({"SHOP": "x", "SNOWFLAKE": "y"}, frozenset(), frozenset())
    made = PythonReplication(config, {"s.t": {"object": "RAW.shop.t"}}, {}, {}, names)

    resolved = made.resolve(environment, "sling")

    body = json.loads(resolved.to_json(["s.t"]))
    assert body["defaults"]["object"] == "shop__ANA.{stream_table}"
    assert body["streams"]["s.t"]["object"] == "RAW.shop__ANA.t"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"source": "shpo"}, "source: 'shpo' is not a connection of the resource 'sling'; did you"),
        ({"source": None}, "the replication has no source"),
        ({"streams": {"s.*": {"object": "s.t"}}}, "'s.*' would be one asset for many tables"),
        (
            {"streams": {"s.t": {"object": "s.t", "meta": {"dagster": {"retries": {"max": "x"}}}}}},
            "s.t: meta.dagster.retries: ",
        ),
    ],
)
def test_a_replication_that_cannot_run_fails_in_one_sentence(
    project: Project, source: Source, change: dict[str, Any], expected: str
) -> None:
    own = own_assets({**replication(source, "customers"), **change})

    result = run(project, own)

    failure = result.failure_data_for_node("own")
    assert failure is not None
    assert failure.error.message.removeprefix(
        "dagster._core.definitions.events.Failure: "
    ).startswith(expected)


def test_the_command_line_reaches_the_projects_connections(
    project: Project, source: Source
) -> None:
    sling = create_sling_resource("sling")

    assert set(sling.prepare_environment()) == {"SHOP", "SNOWFLAKE"}
    statement = f"select count(*) as ct from {source.schema}.customers"
    answer = sling.run_sling_cli(["conns", "exec", "SHOP", statement], force_json=True)
    assert json.loads(answer.strip())["rows"] == [[2]]
    assert sling.get_row_count_for_table("SHOP", f"{source.schema}.orders") == 2
    columns = sling.get_column_info_for_table("SHOP", f"{source.schema}.orders")
    assert [column[sling_internals.COLUMN_NAME_COL] for column in columns] == [
        "id",
        "placed",
        "amount",
    ]
    project.replication(TWO_STREAMS)
    project.run("customers")
    table = f"raw.{source.schema}.customers"
    assert sling.get_row_count_for_table("SNOWFLAKE", table) == 2
    assert [c["Column"] for c in sling.get_column_info_for_table("SNOWFLAKE", table)] == [
        "ID",
        "NAME",
    ]


def test_a_command_that_fails_shows_no_secret(
    project: Project, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "SHOP_URL", source.url.replace("postgres:@", "postgres:s3cret@").replace("=", "=/nowhere")
    )

    with pytest.raises(subprocess.CalledProcessError) as error:
        create_sling_resource("sling").run_sling_cli(["conns", "test", "SHOP"])

    assert "s3cret" not in f"{error.value} {error.value.output} {error.value.stderr}"


def test_the_guides_example_runs(
    project: Project, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "sling" / "connections.yaml").write_text(
        'connections:\n  flight_ops: {type: postgres, url: "${FLIGHT_OPS_URL}"}\n'
    )
    monkeypatch.setenv("FLIGHT_OPS_URL", source.url)
    source.execute(
        "drop schema if exists ops cascade",
        "create schema ops",
        "create table ops.airlines as select 'AA' as carrier",
        "create table ops.planes as select 1 as plane union all select 2",
    )
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    [code] = [block for block in blocks if "@sling_assets" in block]
    example: dict[str, Any] = {}
    exec(compile(code, str(GUIDE), "exec"), example)

    result = run(project, example["flight_ops_copies"])

    assert result.success
    found = materialized(result)
    assert {name: metadata["dagster/row_count"] for name, metadata in found.items()} == {
        "airlines_copy": 1,
        "planes_copy": 2,
    }


# --- an environment without dagster-sling ---


def test_an_environment_without_dagster_sling_is_reported_in_a_sentence(
    yaml_project: YamlProject,
) -> None:
    yaml_project.replication("public.orders:")
    code = (
        "from factories.definitions import read_project\n"
        "print(*read_project(sling='sling')[0].problems, sep='\\n')"
    )
    python = ROOT / ".venvs" / "transformation" / "bin" / "python"

    done = subprocess.run(
        [str(python), "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert done.stdout.strip() == (
        "sling: this environment has no dagster_sling: install dagster-sling to load replications"
    )


def test_the_resource_without_dagster_sling_fails_in_a_sentence() -> None:
    code = (
        "import dagster as dg\n"
        "from factories.core.warehouse.names import WarehouseNames, warehouse_names\n"
        "from factories.location_defaults import default_resources\n"
        "@dg.asset(required_resource_keys={'sling'})\n"
        "def asks(): ...\n"
        "made = default_resources(warehouse_names(), sling='sling')\n"
        "dg.materialize([asks], resources=made)"
    )
    python = ROOT / ".venvs" / "transformation" / "bin" / "python"

    done = subprocess.run(
        [str(python), "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert done.returncode == 1
    expected = "this environment has no dagster-sling: install data-platform[ingestion]"
    assert expected in done.stderr


def test_a_step_of_sling_imports_no_other_tool() -> None:
    heavy = (
        "dlt",
        "dagster_dlt",
        "dbt",
        "dagster_snowflake",
        "snowflake.snowpark",
        "sling",
        "pandas",
    )
    code = (
        "import sys, factories.sling.assets, factories.sling.resource\n"
        f"print(*(name for name in {heavy!r} if name in sys.modules))"
    )
    python = ROOT / ".venvs" / "ingestion" / "bin" / "python"

    done = subprocess.run(
        [str(python), "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert done.stdout.split() == []
