"""Projects whose areas a test writes, and the warehouse in which they are built."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest
from snowflake.snowpark import Session

from factories.core.warehouse.names import Relation
from factories.core.yaml.problems import format_problems
from factories.definitions import read_project
from factories.snowpark.models.registry import Registry
from local_snowflake.process import control
from tests.conftest import WarehouseUnderTest
from tests.factories.snowpark.model_project import ModelProject

FUNCTIONS = """
    def all_rows(session, inputs):
        return inputs["rows"]
"""


@dataclass
class AreaProject:
    """A project folder with one area, whose schemas are the test's own.

    Attributes:
        root: The folder.
        area: The area's name, and the seed's; in texts `{s}` is its schema in the database ML.
        warehouse: The embedded warehouse.
        instance: Dagster's.
        results: What ran so far.
    """

    root: Path
    area: str
    warehouse: WarehouseUnderTest
    instance: dg.DagsterInstance
    results: list[dg.ExecuteInProcessResult] = field(default_factory=list)

    def write(self, text: str, *, functions: str = FUNCTIONS) -> None:
        """Write the area's file, and the module `rows` of its functions."""
        folder = self.root / "snowpark"
        body = textwrap.dedent(text).replace("{s}", self.schema).replace("{a}", self.area)
        (folder / f"{self.area}.yaml").write_text(body)
        (folder / "rows.py").write_text(textwrap.dedent(functions))

    def table(self, output: str, meta: str = "") -> None:
        """Write an area of one table, `t`, which takes all rows of the seed."""
        block = f"\n    meta: {{dagster: {{{meta}}}}}" if meta else ""
        self.write(f"""
features:
  - name: t
    function: rows:all_rows
    inputs: {{rows: seeds/{{a}}}}
    output: {{table: {{s}}.T, {output}}}{block}
""")

    def seed(self, *rows: str, columns: str = "id number, v varchar") -> None:
        """Replace the seed's rows; each is text of SQL."""
        values = f" values {', '.join(f'({row})' for row in rows)}" if rows else ""
        self.sql(f"create or replace table ANALYTICS.SEEDS.{self.area} ({columns})")
        if rows:
            self.sql(f"insert into ANALYTICS.SEEDS.{self.area}{values}")

    def sql(self, sql: str) -> list[tuple[object, ...]]:
        return self.warehouse.rows(sql.replace("{s}", self.schema))

    @property
    def schema(self) -> str:
        return f"ML.{self.area.upper()}"

    def rows(self, table: str = "T") -> list[tuple[object, ...]]:
        """All rows of a table, in order."""
        return self.sql(f"select * from {{s}}.{table} order by 1")

    def tables(self) -> set[object]:
        """The names of all tables in the area's schema."""
        sql = "select table_name from ML.information_schema.tables where table_schema = '{}'"
        return {name for (name,) in self.sql(sql.format(self.area.upper()))}

    def assets(self) -> list[dg.AssetsDefinition | dg.AssetSpec]:
        build, assets = read_project(snowpark="snowpark")
        assert not build.problems, format_problems(build.problems)
        return assets

    def run(self, *names: str, **options: object) -> dg.ExecuteInProcessResult:
        """Materialize assets by name, or all of them."""
        selection = [dg.AssetKey(["ml", self.area, name]) for name in names] or None
        result = dg.materialize(
            self.assets(),
            selection=selection,
            instance=self.instance,
            raise_on_error=False,
            **options,
        )
        self.results.append(result)
        return result

    def built(self, *names: str, **options: object) -> dict[str, dict[str, object]]:
        """Materialize assets, and return what was recorded of each, by its name."""
        result = self.run(*names, **options)
        assert result.success, self.failure()
        return self.metadata()

    def metadata(self) -> dict[str, dict[str, object]]:
        return {
            event.materialization.asset_key.path[-1]: {
                key: value.value for key, value in event.materialization.metadata.items()
            }
            for event in self.results[-1].get_asset_materialization_events()
        }

    def checks(self) -> dict[str, bool]:
        """Whether each check of the last run passed."""
        found = self.results[-1].get_asset_check_evaluations()
        return {check.check_name: check.passed for check in found}

    def log(self) -> str:
        """What the last run has logged, a message per line."""
        entries = self.instance.all_logs(self.results[-1].run_id)
        return "\n".join(entry.user_message for entry in entries)

    def failed(self, *names: str, **options: object) -> str:
        """Materialize assets, and return why that fails."""
        assert not self.run(*names, **options).success
        return self.failure()

    def failure(self) -> str:
        (event,) = (e for e in self.results[-1].all_events if e.is_step_failure)
        error = event.step_failure_data.error
        return error.cause.message if error.cause else error.message


def run_until_killed(run: Callable[[], object]) -> None:
    """Run a step in a process of its own, which ends by the signal that nothing can catch."""
    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def open_sessions() -> int:
    """How many sessions the warehouse has open."""
    sessions = control.status().sessions
    assert sessions is not None
    return sessions


@pytest.fixture
def tags(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The query tag that the warehouse knows of each Snowpark session, when that is closed."""
    found: list[str] = []
    close = Session.close

    def close_after_a_look(session: Session) -> None:
        (row,) = session.sql("show parameters like 'QUERY_TAG' in session").collect()
        found.append(row["value"])
        close(session)

    monkeypatch.setattr(Session, "close", close_after_a_look)
    return found


@pytest.fixture
def project(
    warehouse: WarehouseUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AreaProject]:
    (tmp_path / "snowpark").mkdir()
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    area = f"a{uuid.uuid4().hex[:8]}"
    warehouse.rows("create schema if not exists ANALYTICS.SEEDS")
    with dg.DagsterInstance.ephemeral() as instance:
        yield AreaProject(tmp_path, area, warehouse, instance)
    warehouse.rows(f"drop table if exists ANALYTICS.SEEDS.{area}")
    warehouse.rows(f"drop schema if exists ML.{area}")


@pytest.fixture
def session(warehouse: WarehouseUnderTest, database: str) -> Iterator[Session]:
    with Session.builder.configs({**warehouse.settings, "database": database}).create() as opened:
        yield opened


@pytest.fixture
def registry(session: Session, database: str) -> Registry:
    table, stage = (Relation(database, "DELAY", name) for name in ("MODELS", "MODEL_FILES"))
    made = Registry(session, table, stage)
    made.create()
    return made


@pytest.fixture
def models(
    warehouse: WarehouseUnderTest,
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ModelProject]:
    """A project with features, a model and a score, and 600 flights."""
    (tmp_path / "snowpark").mkdir()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a second's two versions look the same
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    area = f"d{uuid.uuid4().hex[:8]}"
    session.sql("create database if not exists ML").collect()
    session.sql(f"create schema ML.{area}").collect()
    with dg.DagsterInstance.ephemeral() as instance:
        made = ModelProject(tmp_path, area, warehouse, session, instance)
        made.write()
        made.load()
        yield made
    session.sql(f"drop schema ML.{area}").collect()
