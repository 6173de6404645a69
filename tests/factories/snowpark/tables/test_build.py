"""Features and tables as Dagster builds them: functions, queries, failures, checks."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import dagster as dg
import pytest

from factories.core.warehouse.settings import warehouse_settings
from factories.snowpark import step
from tests.factories.snowpark.conftest import FUNCTIONS, AreaProject, open_sessions
from tests.factories.step_failures import failed_assets, resume

pytestmark = pytest.mark.clients

CHAIN = """
    tables:
      - name: last
        sql: |
          -- of both
          select f.id, f.doubled, s.v from {first} f join {seed} s using (id);
        inputs: {first: ml/{a}/first, seed: seeds/{a}}
        output: {table: "{s}.LAST", keys: id}
        meta: {dagster: {checks: {severity: warn, columns: {
          unique: [[id, doubled]], relationships: {doubled: {to: ml/{a}/first, field: id}}}}}}
    features:
      - name: first
        function: rows:doubled
        inputs: {rows: seeds/{a}}
        output: {table: "{s}.FIRST", keys: id}
        meta: {dagster: {checks: {rows: {min: 2}}}}
"""
DOUBLED = """
    from snowflake.snowpark.functions import col

    def doubled(session, inputs):
        return inputs["rows"].select("id", (col("id") * 2).alias("doubled"))
"""


LAST_CHECKS = {"unique_id_doubled": True, "relationships_doubled": False}


def test_tables_are_built_after_those_that_they_read(project: AreaProject) -> None:
    project.seed("1, 'a'", "2, 'b'")
    project.write(CHAIN, functions=DOUBLED)

    built = project.built()

    assert list(built) == ["first", "last"]
    assert project.rows("LAST") == [(1, 2, "a"), (2, 4, "b")]
    assert project.checks() == LAST_CHECKS | {"row_count": True}
    assert f'"ML"."{project.area.upper()}"."FIRST"' in built["last"]["snowpark/sql"]
    assert "*" in built["first"]["snowpark/sql"]  # the function's SQL, not only its source


def test_the_warehouse_knows_for_which_run_and_asset_it_works(project: AreaProject) -> None:
    project.seed("1, 'a'", "2, 'b'")
    project.write(
        CHAIN,
        functions="""
        from snowflake.snowpark.functions import lit

        def doubled(session, inputs):
            (row,) = session.sql("show parameters like 'QUERY_TAG' in session").collect()
            return inputs["rows"].with_column("doubled", lit(row["value"]))
    """,
    )

    result = project.run()

    row = project.rows("FIRST")[0]
    assert row[2] == f"{result.run_id} ml/{project.area}/first"


def test_the_tag_of_a_table_is_as_long_as_snowflake_takes(
    project: AreaProject, tags: list[str]
) -> None:
    project.seed("1, 'a'")
    name = "long" * 600
    project.table("keys: id", f"asset_key: ml/{name}")

    result = project.run()

    assert result.success, project.failure()
    assert tags == [f"{result.run_id} ml/{name}"[:2000]]


def test_a_failed_table_spares_those_that_do_not_read_it(project: AreaProject) -> None:
    project.seed("1, 'a'", "2, 'b'")
    project.write(
        CHAIN
        + """\
      - name: alone
        function: rows:alone
        inputs: {rows: seeds/{a}}
        output: {table: "{s}.ALONE"}
""",
        functions="""
        def doubled(session, inputs):
            return inputs["row"]

        def alone(session, inputs):
            return inputs["rows"]
    """,
    )

    why = project.failed()

    assert set(project.metadata()) == {"alone"}
    assert "2 of 3 tables failed; the others are built." in why
    assert "rows:doubled failed:" in why
    assert "KeyError: 'row'" in why
    assert "build.py" not in why
    last = f"ml/{project.area}/last: it reads ml/{project.area}/first, which is not built"
    assert set(failed_assets(project.results[-1])) == {"first", "last"}
    assert last in why
    assert project.tables() == {"ALONE"}

    why = project.failed(tags=resume(project.results[-1].run_id))

    assert not project.metadata()
    assert "2 of 2 tables failed." in why


def test_a_package_that_there_is_not_fails_its_table_alone(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.write(
        """
        tables:
          - name: lacking
            sql: select id from {seed}
            inputs: {seed: seeds/{a}}
            packages: [no-such-package]
            output: {table: "{s}.LACKING"}
          - name: alone
            sql: select id from {seed}
            inputs: {seed: seeds/{a}}
            output: {table: "{s}.ALONE"}
        """
    )

    why = project.failed()

    assert set(project.metadata()) == {"alone"}
    assert "1 of 2 tables failed; the others are built." in why
    assert "packages: " in why
    assert "no-such-package" in why


def test_a_blocking_check_holds_back_what_reads_the_table(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.write(CHAIN, functions=DOUBLED)

    why = project.failed()

    assert set(project.metadata()) == {"first"}
    assert f"it reads ml/{project.area}/first, which has failed a blocking check" in why
    (check,) = project.results[-1].get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("row_count", False)


def test_checks_run_without_their_table(project: AreaProject) -> None:
    project.seed("1, 'a'", "2, 'b'")
    project.write(CHAIN, functions=DOUBLED)
    project.built()
    selection = dg.AssetSelection.all_asset_checks()

    result = dg.materialize(
        project.assets(), selection=selection, instance=project.instance, raise_on_error=False
    )

    project.results.append(result)
    assert project.checks() == LAST_CHECKS | {"row_count": True}
    assert result.get_asset_materialization_events() == []


@pytest.mark.parametrize(
    ("body", "reported"),
    [
        ("return inputs['rows'].to_pandas()", "returned a DataFrame: it must return a Snowpark"),
        ("inputs['rows'].select('id')", "returned nothing: it must return a Snowpark data frame"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_a_function_that_makes_no_rows_is_reported(
    project: AreaProject, body: str, reported: str
) -> None:
    project.seed("1, 'a'")
    project.table("keys: id", "retries: {max: 1, delay: 0s}")
    (project.root / "snowpark" / "rows.py").write_text(
        f"def all_rows(session, inputs):\n    {body}\n"
    )

    why = project.failed()

    assert "1 of 1 tables failed" in why
    assert "rows:all_rows" in why
    assert reported in why
    assert "trying again" not in project.log()


def test_a_table_that_was_never_made_is_reported_by_its_asset(project: AreaProject) -> None:
    project.table("keys: id", "retries: {max: 1, delay: 0s}")

    why = project.failed()

    seed = f"seeds/{project.area}"
    table = f"ANALYTICS.SEEDS.{project.area.upper()}"
    reported = (
        f"there is no table {table}, or none that the role may read: materialize {seed} first"
    )
    assert f"ml/{project.area}/t: {reported}\n" in why
    assert "trying again" not in project.log()


def test_what_the_warehouse_refuses_is_tried_again(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.write("""
        tables:
          - name: t
            sql: select v::number as v from {rows}
            inputs: {rows: seeds/{a}}
            output: {table: "{s}.T"}
            meta: {dagster: {retries: {max: 1, delay: 0s}}}
        """)

    why = project.failed()

    assert "'a'" in why
    assert "trying again in 0 s (retry 1)" in project.log()


def test_a_step_that_finds_no_warehouse_is_tried_again_as_its_tables_say(
    project: AreaProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.seed("1, 'a'")
    project.table("keys: id", "retries: {max: 1, delay: 0s}")
    found = [replace(warehouse_settings(), password="wrong"), warehouse_settings()]
    monkeypatch.setattr(step, "warehouse_settings", lambda: found.pop(0))

    assert project.run().success, project.failure()

    assert project.rows() == [(1, "a")]


def test_what_fails_for_the_users_code_in_the_warehouse_is_not_tried_again(
    project: AreaProject,
) -> None:
    project.seed("1, 'a'")
    project.table("keys: id", "retries: {max: 1, delay: 0s}")
    (project.root / "snowpark" / "rows.py").write_text(
        """
from snowflake.snowpark.functions import col, udf
from snowflake.snowpark.types import IntegerType as Int

def all_rows(session, inputs):
    broken = udf(lambda x: 1 // 0, return_type=Int(), input_types=[Int()], session=session)
    return inputs["rows"].with_column("made", broken(col("id")))
"""
    )

    assert "ZeroDivisionError" in project.failed()
    assert "trying again" not in project.log()


def test_the_password_never_shows(project: AreaProject) -> None:
    password = str(project.warehouse.settings["password"])
    project.seed("1, 'a'")
    project.table("keys: id")
    (project.root / "snowpark" / "rows.py").write_text(
        f"def all_rows(session, inputs):\n    raise ValueError('{password}')\n"
    )

    why = project.failed()

    assert "ValueError: ***" in why
    logs = project.instance.all_logs(project.results[-1].run_id)
    assert all(password not in repr(event) for event in logs)


def test_a_password_that_a_function_prints_never_shows(
    project: AreaProject, capsys: pytest.CaptureFixture[str]
) -> None:
    password = str(project.warehouse.settings["password"])
    project.seed("1, 'a'")
    project.table("keys: id")
    (project.root / "snowpark" / "rows.py").write_text(f"""
import logging, sys

def all_rows(session, inputs):
    print("printed", "{password}")
    sys.stderr.writelines(["written {password}"])
    logging.getLogger("rows").warning("logged {password}")
    return inputs["rows"]
""")

    assert project.run().success, project.failure()

    out, err = capsys.readouterr()
    assert "printed ***" in out
    assert "written ***" in err
    assert password not in out + err


@pytest.mark.parametrize(
    ("functions", "columns", "options"),
    [
        ("def all_rows(session, inputs):\n    raise ValueError\n", "id number", {}),
        ("def all_rows(session, inputs):\n    raise SystemExit\n", "id number", {}),
        (FUNCTIONS, "v number", {}),  # the write finds no key
        (FUNCTIONS, "id number", {"partition_key": None}),  # the run names no partition
    ],
    ids=["function", "exit", "write", "opening"],
)
def test_a_step_that_fails_closes_its_session(
    project: AreaProject, functions: str, columns: str, options: dict[str, str]
) -> None:
    project.seed("1", columns=columns)
    partition = "partition: {type: daily, start: 2013-01-01, column: id}" if options else ""
    project.table("mode: merge, keys: id", partition)
    (project.root / "snowpark" / "rows.py").write_text(textwrap.dedent(functions))
    before = open_sessions()

    assert project.failed()

    assert open_sessions() == before
