"""A team's own Python beside YAML: found, joined, and its mistakes told with their places."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from factories import automation_condition, build_definitions
from factories.core.yaml.problems import ConfigError
from tests.conftest import WarehouseUnderTest
from tests.factories.conftest import YamlProject


def problems(project: YamlProject, **arguments: object) -> list[str]:
    with pytest.raises(ConfigError) as error:
        build_definitions(defs="defs", **arguments)  # type: ignore[arg-type]  # any of them
    return [str(problem) for problem in error.value.problems]


def test_nested_files_are_found_and_joined_with_yaml(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.orders:")
    yaml_project.write(
        "defs/sales/daily/report.py",
        """
        import dagster as dg
        from factories import automation_condition

        @dg.asset(deps=["orders"], automation_condition=automation_condition("on_upstream_change"))
        def report(context: dg.AssetExecutionContext) -> None: ...

        @dg.asset_check(asset=report)
        def is_right() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True)

        report_job = dg.define_asset_job("report_job", [report])
        every_day = dg.ScheduleDefinition(job=report_job, cron_schedule="0 5 * * *")
        """,
    )
    yaml_project.write(
        "defs/listed.py",
        """
        import dagster as dg
        from defs.sales.daily.report import report

        @dg.definitions
        def defs() -> dg.Definitions:
            return dg.Definitions(assets=[report, dg.AssetSpec("seen")], resources={"one": 1})
        """,
    )
    definitions = build_definitions(sling="sling", defs="defs")
    specs = {s.key.to_user_string(): s for s in definitions.resolve_all_asset_specs()}
    repository = definitions.get_repository_def()

    assert {"shop/raw/orders", "report", "seen"} <= set(specs)
    condition = specs["report"].automation_condition
    assert condition is not None
    assert condition.get_label() == "on_upstream_change"
    (reference,) = specs["report"].metadata["dagster/code_references"].code_references
    assert reference.file_path == str(yaml_project.root / "defs/sales/daily/report.py")
    assert reference.line_number == 5
    assert repository.has_job("report_job")
    assert [s.name for s in repository.schedule_defs] == ["report_job_schedule"]
    assert [key.name for key in repository.asset_graph.asset_check_keys] == ["is_right"]
    assert (definitions.resources or {})["one"] == 1


def test_a_resource_of_a_defaults_name_replaces_it() -> None:
    own = dg.ResourceDefinition.hardcoded_resource("mine")
    definitions = build_definitions(resources={"snowflake": own})
    assert (definitions.resources or {})["snowflake"] is own
    assert "snowpark" in (definitions.resources or {})


def test_every_mistake_is_reported_with_its_place_at_once(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.orders: {mod: incremental}\npublic.items:")
    yaml_project.write(
        "defs/a.py",
        """
        import dagster as dg
        @dg.asset(key=["shop", "raw", "items"], required_resource_keys={"snowflak"})
        def items() -> None: ...
        one = dg.define_asset_job("daily")
        @dg.sensor(job=one)
        def automation() -> None: ...
        """,
    )
    yaml_project.write("defs/b.py", "import dagster as dg\ntwo = dg.define_asset_job('daily')\n")
    yaml_project.write("defs/c.py", "import nothing_here\n")
    yaml_project.write("defs/d.py", "def f(:\n")
    yaml_project.write(
        "defs/e.py",
        """
        from factories import automation_condition
        x = automation_condition('on_upsteam_change')
        """,
    )
    yaml_project.write("defs/f.py", "raise SystemExit(3)\n")
    yaml_project.write(
        "defs/g/defs.yaml", "type: dagster_sling.SlingReplicationCollectionComponent"
    )

    found = problems(yaml_project, sling="sling")

    assert found[:6] == [
        (
            "defs/a.py:3:1: the asset key shop/raw/items is produced here and at"
            " sling/shop.yaml:6: set asset_key on one of them"
        ),
        (
            "defs/a.py:3:1: the code location has no resource 'snowflak'; did you mean 'snowflake'?"
            " (allowed: dbt, dlt, sling, snowflake, snowpark)"
        ),
        "defs/a.py:6:1: two schedules or sensors are named 'automation': here and by the factories",
        "defs/b.py:2:1: two jobs are named 'daily': here and at defs/a.py:4",
        "defs/c.py:1:1: cannot be imported: ModuleNotFoundError: No module named 'nothing_here'",
        "defs/d.py:1:7: not valid Python: invalid syntax",
    ]
    assert found[6].startswith(
        "defs/e.py:2:1: 'on_upsteam_change' is not an automation condition; did"
    )
    assert found[7:9] == [
        "defs/f.py:1:1: cannot be imported: SystemExit: 3",
        (
            "defs/g/defs.yaml:1:1: components of Dagster are not loaded here: declare the same in"
            " Python"
        ),
    ]
    assert found[9].startswith("sling/shop.yaml:5:19: unknown key 'mod'")
    assert len(found) == 10


def test_a_key_that_python_makes_twice_is_reported(yaml_project: YamlProject) -> None:
    for name in ("a", "b"):
        yaml_project.write(
            f"defs/{name}.py",
            """
            import dagster as dg
            @dg.asset
            def items() -> None: ...
            """,
        )

    assert problems(yaml_project) == [
        "defs/b.py:3:1: the asset key items is produced here and at defs/a.py:3: rename one of them"
    ]


def test_annotations_that_are_text_to_dagster_are_reported_as_that(
    yaml_project: YamlProject,
) -> None:
    yaml_project.write(
        "defs/late.py",
        """
        from __future__ import annotations
        import dagster as dg
        class Own(dg.Config):
            n: int = 1
        @dg.asset
        def a(context: dg.AssetExecutionContext, config: Own) -> None: ...
        @dg.sensor(target="*")
        def s(context: dg.SensorEvaluationContext) -> None: ...
        """,
    )
    why = "because line 1 says `from __future__ import annotations`: remove that line"
    assert problems(yaml_project) == [
        f"defs/late.py:6:7: the annotation of 'context' is text to Dagster, {why}",
        f"defs/late.py:6:42: the annotation of 'config' is text to Dagster, {why}",
    ]


def test_a_job_that_selects_nothing_is_reported_at_its_line(yaml_project: YamlProject) -> None:
    yaml_project.write(
        "defs/j.py", "import dagster as dg\n\nj = dg.define_asset_job('j', ['no'])\n"
    )
    (reported,) = problems(yaml_project)
    assert reported.startswith("defs/j.py:3:1: the job j: ")


def test_an_own_asset_takes_the_place_of_a_source_that_yaml_declares(
    yaml_project: YamlProject,
) -> None:
    yaml_project.replication("public.orders:")
    own = dg.asset(key=["shop", "src", "orders"])(lambda: None)
    definitions = build_definitions(sling="sling", assets=[own])
    key = dg.AssetKey(["shop", "src", "orders"])
    assert key in definitions.resolve_asset_graph().materializable_asset_keys


@pytest.mark.clients
@pytest.mark.parametrize("module", ["factories", "dagster_snowflake"])
def test_an_own_asset_queries_the_warehouse_through_the_default_resource(
    warehouse: WarehouseUnderTest, yaml_project: YamlProject, module: str
) -> None:
    yaml_project.write(
        f"defs/of_{module}.py",
        f"""
        import dagster as dg
        from {module} import SnowflakeResource

        @dg.asset
        def looked(snowflake: SnowflakeResource) -> dg.MaterializeResult:
            with snowflake.get_connection() as connection, connection.cursor() as cursor:
                cursor.execute("show parameters like 'QUERY_TAG' in session")
                tag = cursor.fetchall()[0][1]
                cursor.execute("select 41 + 1")
                return dg.MaterializeResult(metadata={{
                    "answer": int(cursor.fetchall()[0][0]),
                    "tag": tag,
                    "application": connection.application,
                    "shown": repr(snowflake),
                    "timeout": connection.login_timeout,
                }})
        """,
    )
    definitions = build_definitions(defs="defs")
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process()
    (event,) = result.get_asset_materialization_events()
    found = {key: value.value for key, value in event.materialization.metadata.items()}

    assert found["answer"] == 42
    assert found["tag"] == "data-platform"
    assert found["application"] == "DagsterLabs_Dagster"
    assert found["timeout"] == 30
    assert str(warehouse.settings["password"]) not in str(found)


@pytest.mark.clients
@pytest.mark.usefixtures("warehouse")
def test_the_guides_asset_runs(yaml_project: YamlProject) -> None:
    guide = Path(__file__).parents[2] / "docs" / "guides" / "your-own-python.md"
    (text,) = re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL)
    yaml_project.write("defs/order_count.py", text)
    definitions = build_definitions(defs="defs")
    result = definitions.get_repository_def().get_job("order_count_job").execute_in_process()

    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["orders"].value == 3


def test_the_automation_sensor_takes_checks_of_another_locations_assets() -> None:
    elsewhere = dg.AssetKey(["elsewhere", "orders"])

    @dg.asset_check(asset=elsewhere)
    def is_recent() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    defs = build_definitions(asset_checks=[is_recent])
    selection = defs.resolve_sensor_def("automation").asset_selection
    assert str(selection) == "*", "the UI shows the text of the selection"
    graph = defs.resolve_asset_graph()
    assert selection is not None
    assert selection.resolve_checks(graph) == {dg.AssetCheckKey(elsewhere, "is_recent")}


def test_conditions_by_name_from_python() -> None:
    found = automation_condition("on_cron_no_deps", cron_schedule="0 5 * * *")
    assert found is not None
    assert found.get_label() == "on_cron_no_deps(0 5 * * *, UTC)"
    assert automation_condition("manual_only") is None
    with pytest.raises(ValueError, match="on_cron_no_deps needs cron_schedule=…"):
        automation_condition("on_cron_no_deps")
    with pytest.raises(ValueError, match="did you mean 'cron_schedule'"):
        automation_condition("on_cron_no_deps", cron_schedule="0 5 * * *", cron_scedule="x")


def test_yaml_is_read_without_dagster() -> None:
    code = "import sys, factories.core.yaml.models; print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
