"""Tables in a real PostgreSQL to read from, and a project whose YAML a test writes."""

from __future__ import annotations

import textwrap
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from factories.core.assets.context import LoadContext
from factories.core.warehouse.names import warehouse_names
from factories.core.yaml.problems import format_problems
from factories.definitions import read_project
from factories.location_defaults import default_resources
from tests.conftest import WarehouseUnderTest
from tests.factories.conftest import Source

CONNECTIONS = """
    connections:
      shop: {type: postgres, url: "${SHOP_URL}"}
"""


@dataclass
class Project:
    """A project folder, a Dagster instance, and the warehouse that both load."""

    root: Path
    schema: str
    warehouse: WarehouseUnderTest
    instance: dg.DagsterInstance
    results: list[dg.ExecuteInProcessResult] = field(default_factory=list)

    def replication(self, text: str, name: str = "shop") -> None:
        """Write a replication; `{s}` stands for the schema, at the source and the target."""
        body = textwrap.dedent(text).replace("{s}", self.schema)
        (self.root / "sling" / f"{name}.yaml").write_text(body)

    def assets(self) -> list[dg.AssetsDefinition | dg.AssetSpec]:
        load_context, assets = self.read()
        assert not load_context.problems, format_problems(load_context.problems)
        return assets

    def read(self) -> tuple[LoadContext, list[dg.AssetsDefinition | dg.AssetSpec]]:
        return read_project(sling="sling")

    def run(self, *selection: str, **options: object) -> dg.ExecuteInProcessResult:
        """Materialize assets, `shop/raw/…` by their last part, or all of them."""
        keys = [dg.AssetKey(["shop", "raw", name]) for name in selection]
        result = dg.materialize(
            self.assets(),
            selection=keys or None,
            instance=self.instance,
            resources=self.resources(),
            raise_on_error=False,
            **options,
        )
        self.results.append(result)
        return result

    def resources(self) -> dict[str, object]:
        """What the code location offers to its steps."""
        return default_resources(warehouse_names(), sling="sling")

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Query the warehouse; `{s}` stands for the schema."""
        return self.warehouse.rows(sql.replace("{s}", self.schema), database="RAW")

    def count(self, table: str) -> int:
        return int(str(self.rows(f"select count(*) from {{s}}.{table}")[0][0]))

    def has_table(self, table: str) -> bool:
        found = self.rows(
            "select 1 from RAW.information_schema.tables"
            f" where table_schema = upper('{{s}}') and table_name = upper('{table}')"
        )
        return bool(found)

    def messages(self) -> str:
        """What a person reads in the last run's log."""
        events = self.instance.all_logs(self.results[-1].run_id)
        return "\n".join(event.user_message for event in events)

    def log(self) -> str:
        """Everything that the last run left in the event storage."""
        events = self.instance.all_logs(self.results[-1].run_id)
        return "\n".join(f"{event.user_message} {event!r}" for event in events)


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, object]]:
    """The metadata of each materialized asset, by the last part of its key."""
    return {
        event.materialization.asset_key.path[-1]: {
            key: value.value for key, value in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
    }


@pytest.fixture
def source(postgres: str) -> Source:
    schema = f"s{uuid.uuid4().hex[:8]}"
    made = Source(postgres, schema)
    made.execute(
        "create schema {s}",
        "create table {s}.customers (id int primary key, name text)",
        "insert into {s}.customers values (1, 'Ada'), (2, 'Bob')",
        "create table {s}.orders (id int primary key, placed timestamp, amount numeric(8,2))",
        "insert into {s}.orders values (1, '2024-01-01', 10.50), (2, '2024-01-02', 20)",
    )
    return made


@pytest.fixture
def project(
    source: Source,
    warehouse: WarehouseUnderTest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Project]:
    (tmp_path / "sling").mkdir()
    (tmp_path / "sling" / "connections.yaml").write_text(textwrap.dedent(CONNECTIONS))
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("SHOP_URL", source.url)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Project(tmp_path, source.schema, warehouse, instance)
    # The catalog is searched all the time.
    warehouse.rows(f"drop schema if exists {source.schema} cascade", database="RAW")
