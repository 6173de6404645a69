"""A dbt project that tests write, the embedded warehouse it builds in, and Dagster's runs of it."""

from __future__ import annotations

import shutil
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from snowflake.connector.errors import ProgrammingError

from factories.core.assets.context import LoadContext
from factories.core.warehouse.names import warehouse_names
from factories.core.yaml.problems import format_problems
from factories.dbt.prepare import DbtParseError, prepare, target_folder
from factories.definitions import Asset, read_project
from factories.location_defaults import default_resources
from tests import programs
from tests.conftest import WarehouseUnderTest
from tests.factories.dbt.forked_dbt import forked_dbt
from tests.factories.dbt.shop_files import SHOP
from tests.factories.dbt.written_project import Loaded, WrittenProject

PARSED = "partial_parse.msgpack"
Result = dg.ExecuteInProcessResult | dg.JobExecutionResult
PROJECT = """
name: shop
version: "1.0"
profile: shop
flags: {send_anonymous_usage_stats: false}
"""
# Every name is the project's own: other tests use the same warehouse.
PROFILE = """
shop:
  target: warehouse
  outputs:
    warehouse:
      type: snowflake
      account: "{{ env_var('SNOWFLAKE_ACCOUNT') }}"
      user: "{{ env_var('SNOWFLAKE_USER') }}"
      password: "{{ env_var('DBT_ENV_SECRET_SNOWFLAKE_PASSWORD') }}"
      host: "{{ env_var('SNOWFLAKE_HOST') }}"
      port: "{{ env_var('SNOWFLAKE_PORT') | as_number }}"
      protocol: "{{ env_var('SNOWFLAKE_PROTOCOL') }}"
      authenticator: "{{ env_var('SNOWFLAKE_AUTHENTICATOR', '') }}"
      private_key_path: "{{ env_var('SNOWFLAKE_PRIVATE_KEY_PATH', '') }}"
      database: ANALYTICS
      schema: {s}
      threads: 2
"""


@dataclass
class Project:
    """A dbt project `shop` below a project folder, and a Dagster instance.

    Attributes:
        root: The project folder.
        schema: The schema of RAW and of ANALYTICS; `{s}` stands for it in texts.
        warehouse: The embedded warehouse.
        instance: Dagster's.
        results: What ran so far.
    """

    root: Path
    schema: str
    warehouse: WarehouseUnderTest
    instance: dg.DagsterInstance
    results: list[dg.ExecuteInProcessResult] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where the dbt project lies."""
        return self.root / "shop"

    def write(self, name: str, text: str) -> Path:
        """Write one file of the dbt project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n").replace("{s}", self.schema))
        return path

    def read(self) -> tuple[LoadContext, list[Asset]]:
        """Read the project as a code location does; dbt parses it when its files changed."""
        with suppress(DbtParseError):  # reading tells it
            prepare(self.folder, warehouse_names())
        return read_project(dbt="shop")

    def assets(self) -> list[Asset]:
        load_context, assets = self.read()
        assert not load_context.problems, format_problems(load_context.problems)
        return assets

    def problems(self) -> list[str]:
        return [str(problem) for problem in self.read()[0].problems]

    def run(
        self,
        selection: dg.AssetSelection | str | None = None,
        *,
        config: dict[str, object] | None = None,
        op: str = "dbt__shop",
        **options: Any,
    ) -> dg.ExecuteInProcessResult:
        """Materialize a selection, or all assets.

        Args:
            selection: Dagster's, or one in its query language.
            config: The run configuration of `op`.
            op: The op.
            **options: For `dagster.materialize`.
        """
        if isinstance(selection, str):
            selection = dg.AssetSelection.from_string(selection)
        if config is not None:
            options["run_config"] = {"ops": {op: {"config": config}}}
        result = dg.materialize(
            self.assets(),
            selection=selection,
            instance=self.instance,
            raise_on_error=False,
            resources=default_resources(warehouse_names(), dbt_folders=[self.folder]),
            **options,
        )
        self.results.append(result)
        return result

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Query ANALYTICS."""
        return self.warehouse.rows(sql.replace("{s}", self.schema), database="ANALYTICS")

    def messages(self) -> str:
        """What a person reads in the last run's log."""
        events = self.instance.all_logs(self.results[-1].run_id)
        return "\n".join(event.user_message for event in events)

    def failure(self) -> str:
        """Why the last run's only failed step failed."""
        (event,) = (e for e in self.results[-1].all_events if e.is_step_failure)
        error = event.step_failure_data.error
        assert error is not None
        return error.cause.message if error.cause else error.message

    def log(self) -> str:
        """Everything that the last run left in the event storage."""
        events = self.instance.all_logs(self.results[-1].run_id)
        return "\n".join(f"{event.user_message} {event!r}" for event in events)


def materialized(result: Result) -> dict[str, dict[str, Any]]:
    """The metadata of each materialized asset, by its key."""
    return {
        event.materialization.asset_key.to_user_string(): {
            key: value.value for key, value in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
    }


def checked(result: Result) -> dict[str, str]:
    """What became of each check, by its name: `passed`, `WARN` or `ERROR`."""
    return {
        evaluation.check_name: "passed" if evaluation.passed else evaluation.severity.value
        for evaluation in result.get_asset_check_evaluations()
    }


@pytest.fixture(scope="session", autouse=True)
def dbt_starts_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """dbt runs as a fork of one process, from the first test on that runs it."""
    with nullcontext() if request.config.option.markexpr == programs.NONE else forked_dbt():
        yield


def _create_schema(warehouse: WarehouseUnderTest) -> str:
    """Create the first schema of some names that is not there; the names come again and again."""
    for number in count(1):
        schema = f"SHOP_{number}"
        try:
            warehouse.rows(f"create schema RAW.{schema}")
        except ProgrammingError as error:
            assert "already exists" in str(error)  # noqa: PT017 - any other is the test's failure
        else:
            warehouse.rows(f"create schema ANALYTICS.{schema}")
            return schema
    raise AssertionError


def _parse_as_before(project: Project) -> None:
    """Have what dbt has parsed of the empty project, its own macros, which take most of the time.

    It keeps that only for the same profile, and so for the same schema.
    """
    target = target_folder(project.folder)
    parsed = Path(tempfile.gettempdir(), f"parsed_{project.schema}")
    if not parsed.exists():
        prepare(project.folder, warehouse_names())
        shutil.copytree(target, parsed, ignore=shutil.ignore_patterns("*.lock"))
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(parsed / PARSED, target)


@contextmanager
def new_project(warehouse: WarehouseUnderTest, root: Path) -> Iterator[Project]:
    """An empty dbt project with a schema of its own in RAW and in ANALYTICS."""
    databases = ("RAW", "ANALYTICS")
    schema = _create_schema(warehouse)
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("DP_PROJECT_DIR", str(root))
        patch.setenv("DP_PREPARE_DBT", "1")
        made = Project(root, schema, warehouse, instance)
        made.write("dbt_project.yml", PROJECT)
        made.write("profiles.yml", PROFILE)
        _parse_as_before(made)
        yield made
        for database in databases:
            warehouse.rows(f"drop schema {database}.{schema} cascade")


@pytest.fixture
def project(warehouse: WarehouseUnderTest, tmp_path: Path) -> Iterator[Project]:
    """A dbt project of the test's own."""
    with new_project(warehouse, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared_project(
    warehouse: WarehouseUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A dbt project of the test module's own; its tests leave it as they found it."""
    with new_project(warehouse, tmp_path_factory.mktemp("project")) as made:
        yield made


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> WrittenProject:
    """A parsed dbt project with one of everything; its tests leave it as it is."""
    written = WrittenProject(tmp_path_factory.mktemp("shop"))
    written.write(SHOP)
    with written.environ():
        prepare(written.folder, warehouse_names(), install=True)
    return written


@pytest.fixture(scope="session")
def shop_loaded(shop: WrittenProject) -> Loaded:
    """What a code location makes of it."""
    return Loaded.of(shop.definitions())
