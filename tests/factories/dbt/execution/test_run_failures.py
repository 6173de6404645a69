"""What fails, what is held back by it, and what is built again; what a stop leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import psutil
import pytest

from factories.core.execution.temp_folders import folder_prefix, remove_abandoned_folders
from factories.core.warehouse.names import warehouse_names
from factories.definitions import read_project
from factories.location_defaults import default_resources
from tests.conftest import WarehouseUnderTest
from tests.factories.dbt.conftest import Project, checked, materialized, new_project
from tests.factories.step_failures import failed_assets

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dbt failures")]

PARTITION = "2024-02-01"
TAGS = {"dagster/partition": PARTITION}
RESUMED = {**TAGS, "dagster/is_resume_retry": "true"}  # as the UI tags it
WAIT_SECONDS = 240
FILES = {
    "dbt_project.yml": """
        name: shop
        version: "1.0"
        profile: shop
        flags: {skip_nodes_if_on_run_start_fails: true}
        on-run-start: "{{ 'select * from nowhere' if var('hook', '') == 'start' }}"
        on-run-end: "{{ 'select * from nowhere' if var('hook', '') == 'end' }}"
        models:
          +post-hook: "insert into RAW.{s}.built select '{{ this.identifier }}'"
    """,
    "models/sources.yml": """
        sources:
          - name: app
            database: RAW
            schema: "{s}"
            tables: [{name: orders}, {name: broken}, {name: built}]
    """,
    "models/orders.sql": "select * from {{ source('app', 'orders') }}",
    "models/by_customer.sql": "select customer from {{ ref('orders') }} group by 1",
    "models/report.sql": "select * from {{ ref('by_customer') }}",
    "models/flags.sql": "select 1 as id, '2024-02-01'::timestamp_ntz as at",
    "models/rules.sql": "select id * 2 as twice from {{ ref('flags') }}",
    # Divides by zero while there is a row in the table `broken`.
    "models/uneven.sql": """
        {{ config(materialized='table') }}
        select 1 / (select 1 - count(*) from {{ source('app', 'broken') }}) as share
    """,
    "models/after_uneven.sql": "select * from {{ ref('uneven') }}",
    # Has too many rows for its check as long as `orders` has.
    "models/few.sql": """
        {{ config(
            materialized='table',
            meta={'dagster': {'checks': {
                'rows': {'max': 2},
                'columns': {'relationships': {'id': 'few'}},
                'sql': {'known': 'id is null or id > 0'},
            }}},
        ) }}
        select * from {{ source('app', 'orders') }}
    """,
    # In a step of its own, after that of `flags`.
    "models/monthly.sql": """
        {{ config(
            materialized='incremental', incremental_strategy='delete+insert', unique_key='id',
            meta={'dagster': {'partition': {'type': 'monthly', 'start': '2024-01-01'}}},
        ) }}
        select flags.* from {{ ref('flags') }} as flags cross join {{ ref('stamps') }}
    """,
    "models/stamps.sql": """
        {{ config(meta={'dagster': {'checks': {
            'columns': {'not_null': ['stamp'], 'unique': ['stamp']}
        }}}) }}
        select id as stamp from {{ source('app', 'orders') }} where id is not null
        union all select 0
    """,
    # Divides by zero when it is built for the first time.
    "models/flaky.sql": """
        {{ config(
            materialized='table',
            tags=['alone'],
            pre_hook="insert into {{ source('app', 'built') }} select 'flaky try'",
            meta={'dagster': {'retries': {'max': 2, 'delay': '0s'}}},
        ) }}
        select 1 / (count(*) - 1) as n from {{ source('app', 'built') }} where model = 'flaky try'
    """,
    "models/beside_flaky.sql": "{{ config(tags=['alone']) }} select 1 as id",
    "models/after_flaky.sql": "{{ config(tags=['alone']) }} select * from {{ ref('flaky') }}",
    # Passes once `flaky` was tried twice.
    "models/wavering.sql": """
        {{ config(tags=['alone'], meta={'dagster': {'retries': {'max': 2, 'delay': '0s'}}}) }}
        select 1 as id
    """,
    "tests/flaky_was_tried_twice.sql": """
        select * from {{ ref('wavering') }}
        where (select count(*) from RAW.{s}.built where model = 'flaky try') < 2
    """,
    "models/hopeless.sql": """
        {{ config(
            materialized='table',
            tags=['alone'],
            pre_hook="insert into {{ source('app', 'built') }} select 'hopeless try'",
        ) }}
        select 1 / 0 as n
    """,
    "models/after_both.sql": """
        {{ config(tags=['alone']) }}
        select * from {{ ref('flaky') }} cross join {{ ref('hopeless') }}
    """,
    "models/unwritten.sql": """
        {{ config(materialized='ephemeral') }}
        {% if execute %}{{ exceptions.raise_compiler_error('nobody knows the rate') }}{% endif %}
    """,
    "models/after_unwritten.sql": """
        {{ config(tags=['alone']) }} select * from {{ ref('unwritten') }}
    """,
    # Is at work for minutes, before it makes a table.
    "models/endless.sql": """
        {{ config(
            materialized='table',
            tags=['alone'],
            pre_hook=[
                "insert into {{ source('app', 'built') }} select 'endless try'",
                "{% if execute %}{% for _ in modules.itertools.repeat(0, 1000000) %}"
                "{% do run_query('select 1') %}{% endfor %}{% endif %}",
            ],
        ) }}
        select 2 as id
    """,
    "models/models.yml": """
        models:
          - name: orders
            columns:
              - name: id
                data_tests: [unique, not_null: {config: {severity: warn}}]
          - name: by_customer
            columns: [{name: customer, data_tests: [not_null]}]
          - name: flags
            columns: [{name: id, data_tests: [unique]}]
        unit_tests:
          - name: doubles
            model: rules
            given: [{input: ref('flags'), rows: [{id: 2}]}]
            expect: {rows: [{twice: 5}]}
    """,
}


def everything() -> dg.JobDefinition:
    """A job of the project that DP_PROJECT_DIR names, but of `alone`; any process can make it."""
    return _job(dg.AssetSelection.all() - dg.AssetSelection.tag("alone", ""))


def endless() -> dg.JobDefinition:
    """A job that is stopped before it ends."""
    return _job(dg.AssetSelection.assets("endless"))


def _job(selection: dg.AssetSelection) -> dg.JobDefinition:
    build, assets = read_project(dbt="shop")
    assert not build.problems
    job = dg.define_asset_job("job", selection, executor_def=dg.in_process_executor)
    resources = default_resources(warehouse_names())
    return dg.Definitions(assets=assets, jobs=[job], resources=resources).resolve_job_def("job")


@pytest.fixture(scope="module")
def shop(
    warehouse: WarehouseUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    with new_project(warehouse, tmp_path_factory.mktemp("failures")) as project:
        for name, text in FILES.items():
            project.write(name, text)
        project.rows(
            "create table RAW.{s}.orders as select column1 as id, column2 as customer"
            " from values (1, 1), (1, null), (null, 2)"
        )
        project.rows("create table RAW.{s}.broken as select 1 as id")
        project.rows("create table RAW.{s}.built (model varchar)")
        project.assets()
        yield project


def take_built(project: Project) -> list[str]:
    """What was built since the last call."""
    found = sorted(str(name) for (name,) in project.rows("select model from RAW.{s}.built"))
    project.rows("delete from RAW.{s}.built")
    return found


@dataclass(frozen=True)
class Attempt:
    """A run: its events, and what it built."""

    result: dg.JobExecutionResult
    built: list[str]

    @property
    def failure(self) -> str:
        (event,) = (e for e in self.result.all_events if e.is_step_failure)
        error = event.step_failure_data.error
        assert error is not None
        return error.message

    @property
    def steps(self) -> list[str]:
        return [str(e.step_key) for e in self.result.all_events if e.is_step_start]


class Attempts(NamedTuple):
    """Much fails in the first; some of it is mended before the second, all before the third."""

    first: Attempt
    second: Attempt
    third: Attempt


@pytest.fixture(scope="module")
def attempts(shop: Project, tmp_path_factory: pytest.TempPathFactory) -> Attempts:
    """A run in which much fails, and two that start again from there when it is mended."""
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        job = dg.reconstructable(everything)
        first = Attempt(dg.execute_job(job, instance, tags=TAGS), take_built(shop))
        shop.rows("delete from RAW.{s}.orders where id is null or customer is null")
        shop.rows("delete from RAW.{s}.broken")
        again = dg.ReexecutionOptions.from_failure(first.result.run_id, instance)
        result = dg.execute_job(job, instance, reexecution_options=again, tags=RESUMED)
        second = Attempt(result, take_built(shop))
        path = shop.folder / "models/models.yml"
        path.write_text(path.read_text().replace("twice: 5", "twice: 4"))
        shop.assets()
        shop.rows("delete from {s}.few")
        again = dg.ReexecutionOptions.from_failure(second.result.run_id, instance)
        result = dg.execute_job(job, instance, reexecution_options=again, tags=RESUMED)
        return Attempts(first, second, Attempt(result, take_built(shop)))


def test_failure_holds_back_what_follows_and_spares_the_others(
    attempts: Attempts,
) -> None:
    first = attempts.first

    assert not first.result.success
    assert first.built == ["few", "flags", "orders", "stamps"]
    assert set(materialized(first.result)) == {"few", "flags", "orders", "stamps"}
    assert checked(first.result) == {
        "row_count": "ERROR",
        "relationships_id": "WARN",  # its own table was not recorded yet
        "known": "passed",
        "not_null_stamp": "passed",
        "unique_stamp": "ERROR",
        "unique_orders_id": "ERROR",
        "not_null_orders_id": "WARN",
        "unique_flags_id": "passed",
        "doubles": "ERROR",
    }


def test_step_fails_with_one_message_that_names_all(attempts: Attempts) -> None:
    message = attempts.first.failure

    assert "3 failed, 5 skipped; the rest is built." in message
    assert "model uneven: Database Error in model uneven (models/uneven.sql)" in message
    assert "Division by zero" in message
    assert "test unique_orders_id: Got 1 result, configured to fail if != 0" in message
    assert "unit test rules.doubles: actual differs from expected:" in message
    for name in ("after_uneven", "by_customer", "not_null_by_customer_customer", "report", "rules"):
        assert name in message.partition("skipped: ")[2]
    assert tempfile.gettempdir() not in message  # the step's folder is gone
    reasons = failed_assets(attempts.first.result)
    assert set(reasons) == {"uneven", "orders", "rules"}  # the rest was skipped for these
    assert all(why in message for why in reasons.values())


def test_run_from_the_failed_step_builds_only_what_failed(attempts: Attempts) -> None:
    second = attempts.second

    # `rules` is held back by its unit test as before.
    assert "unit test rules.doubles" in second.failure
    assert "1 failed, 1 skipped" in second.failure
    assert second.built == ["after_uneven", "by_customer", "report", "uneven"]
    assert checked(second.result)["unique_orders_id"] == "passed"
    assert checked(second.result)["not_null_orders_id"] == "passed"


def test_check_that_failed_runs_again_on_the_table_as_it_is(attempts: Attempts) -> None:
    assert "few" not in attempts.second.built
    assert "stamps" not in attempts.second.built
    assert checked(attempts.second.result)["row_count"] == "ERROR"
    assert checked(attempts.second.result)["unique_stamp"] == "passed"
    assert checked(attempts.second.result)["relationships_id"] == "passed"
    assert "known" not in checked(attempts.second.result)
    assert checked(attempts.third.result)["row_count"] == "passed"


def test_step_that_waits_for_what_was_built_before_runs(attempts: Attempts) -> None:
    first, second, third = attempts

    assert first.steps == second.steps == ["dbt__shop"]
    assert third.result.success
    # `flags` is materialized for the other step to run, and dbt leaves it alone.
    assert third.built == ["monthly", "rules"]
    assert materialized(third.result)["flags"]["left_as_built_by"] == first.result.run_id
    columns = materialized(third.result)["flags"]["dagster/column_schema"].columns
    assert [column.name for column in columns] == ["ID", "AT"]


@pytest.fixture(scope="module")
def retried(shop: Project, attempts: Attempts) -> Attempt:
    """A run of nodes of which some may be tried again, and some may not."""
    names = ("flaky", "beside_flaky", "after_flaky", "wavering", "hopeless", "after_both")
    selection = " or ".join(f"key:{name}" for name in (*names, "after_unwritten"))
    result = shop.run(selection)
    return Attempt(result, take_built(shop))


def test_retries_build_only_what_failed_and_may_be_tried_again(
    shop: Project, retried: Attempt
) -> None:
    assert retried.built == [
        "after_flaky", "beside_flaky", "flaky", "flaky try", "flaky try", "hopeless try",
        "wavering",
    ]  # fmt: skip
    [first, *_] = [text for text in shop.messages().splitlines() if "trying again" in text]
    assert first.startswith("trying again in 0 s (retry 1): ")
    assert set(first.partition("): ")[2].split(", ")) == {
        "flaky", "after_flaky", "flaky_was_tried_twice",
    }  # fmt: skip


def test_test_that_passes_at_last_has_passed(retried: Attempt) -> None:
    assert checked(retried.result) == {"flaky_was_tried_twice": "passed"}
    assert "flaky_was_tried_twice" not in retried.failure


def test_what_failed_for_good_is_reported_after_the_retries(retried: Attempt) -> None:
    assert "model hopeless: Database Error in model hopeless" in retried.failure
    assert "after_both" in retried.failure.partition("skipped: ")[2]


def test_ephemeral_model_that_does_not_compile_is_reported(retried: Attempt) -> None:
    assert "nobody knows the rate" in retried.failure
    assert "after_unwritten" in retried.failure


@pytest.mark.parametrize(
    ("hook", "built_before"), [("start", []), ("end", ["beside_flaky"])], ids=["start", "end"]
)
def test_failed_hook_fails_the_step(
    shop: Project, attempts: Attempts, hook: str, built_before: list[str]
) -> None:
    result = shop.run("key:beside_flaky", config={"vars": {"hook": hook}})

    assert not result.success
    assert f"hook shop-on-run-{hook}-0: " in shop.failure()
    assert "nowhere" in shop.failure().lower()
    assert take_built(shop) == built_before


STEP = """
import sys
import dagster as dg
from factories.core.execution import subprocesses as processes
from tests.factories.dbt.execution.test_run_failures import endless
processes.STOP_SECONDS = 1
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    dg.execute_job(dg.reconstructable(endless), instance)
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_stopped_step_leaves_no_dbt_and_whole_tables(
    shop: Project,
    attempts: object,
    sign: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert attempts
    shop.rows("create or replace table {s}.endless as select 1 as id")
    step = subprocess.Popen(
        [sys.executable, "-c", STEP, str(tmp_path)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: shop.rows("select 1 from RAW.{s}.built"))
    children = psutil.Process(step.pid).children(recursive=True)
    assert any(is_dbt(child) for child in children)

    step.send_signal(sign)
    step.wait(WAIT_SECONDS)

    wait_until(lambda: not any(is_alive(child) for child in children))
    assert take_built(shop) == ["endless try"]
    assert shop.rows("select id from {s}.endless") == [(1,)]
    # What a killed step has left is removed by the next one.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if sign == signal.SIGKILL:
        remove_abandoned_folders("dbt")
    assert not list(tmp_path.glob(f"{folder_prefix('dbt')}*"))


def test_killed_dbt_fails_what_it_had_not_built(shop: Project, attempts: object) -> None:
    assert attempts
    shop.rows("create or replace table {s}.endless as select 1 as id")

    def is_at_work() -> bool:
        if not (runs := shop.instance.get_runs(limit=1)):
            return False
        # The test of `flags` runs after it.
        tested = shop.instance.all_logs(
            runs[0].run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        )
        return bool(tested and shop.rows("select 1 from RAW.{s}.built where model = 'endless try'"))

    def kill_dbt_when_it_is_at_work() -> None:
        wait_until(is_at_work)
        children = psutil.Process().children(recursive=True)
        [dbt] = [child for child in children if is_dbt(child)]
        dbt.kill()

    killer = threading.Thread(target=kill_dbt_when_it_is_at_work)
    killer.start()
    shop.run("key:endless or key:flags")
    killer.join()

    assert set(materialized(shop.results[-1])) == {"flags"}
    assert "dbt was ended by SIGKILL" in shop.failure()
    assert "dbt did not run: endless" in shop.failure()
    assert "Traceback" not in shop.log()
    assert shop.rows("select id from {s}.endless") == [(1,)]
    take_built(shop)


def wait_until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; what was killed may stay a zombie where process 1 reaps none."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_dbt(process: psutil.Process) -> bool:
    try:
        return "factories.dbt.program" in process.cmdline()
    except psutil.NoSuchProcess:  # it has ended since it was listed
        return False
