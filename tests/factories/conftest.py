"""A project of YAML files that a test writes, and a PostgreSQL for tests that load from one."""

from __future__ import annotations

import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from hypothesis import settings

from factories.core.meta.named_conditions import NamedCondition
from factories.core.yaml.models import SourceMap
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import YamlFile, read_yaml
from factories.definitions import build_definitions, read_project
from sample_sources.flight_ops.postgres import EmbeddedPostgres

# The same examples in every run, and no time limit on a machine that others use too.
settings.register_profile("same-every-time", derandomize=True, deadline=None, database=None)
settings.load_profile("same-every-time")

SHOP = """
connections:
  shop: {type: postgres, url: "${SHOP_URL}"}
"""


@dataclass(frozen=True)
class YamlProject:
    """A project folder.

    Attributes:
        root: The folder.
    """

    root: Path

    def write(self, name: str, text: str) -> Path:
        """Write one file, `name` relative to the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    def replication(self, streams: str, name: str = "shop", *, head: str = "") -> Path:
        """Write a replication of the connection `shop`; `streams` and `head` are YAML."""
        text = "source: shop\ntarget: SNOWFLAKE\n" + textwrap.dedent(head).lstrip("\n")
        text = text.rstrip("\n") + "\n"
        if "defaults:" not in text:
            text += "defaults: {object: 'shop.{stream_table}'}\n"
        body = textwrap.indent(textwrap.dedent(streams).strip("\n"), "  ")
        return self.write(f"sling/{name}.yaml", f"{text}streams:\n{body}\n")

    def read(self, name: str) -> tuple[YamlFile | None, list[str]]:
        """Read one file; also the problems as text."""
        problems: list[Problem] = []
        file = read_yaml(self.root / name, root=self.root, problems=problems)
        return file, [str(problem) for problem in problems]

    def problems(self, conditions: Iterable[NamedCondition] = (), **folders: str) -> list[str]:
        """Every problem of the project's files, in order, each once, as text.

        Args:
            conditions: A company's own.
            **folders: The folders to read by tool, only `sling` when none is given.
        """
        build, assets = read_project(conditions=conditions, **(folders or {"sling": "sling"}))
        assert not (build.problems and assets)
        return [str(problem) for problem in sorted(set(build.problems), key=_place)]

    def definitions(self) -> dg.Definitions:
        return build_definitions(sling="sling")

    def specs(self) -> dict[str, dg.AssetSpec]:
        """The specs of every asset by key."""
        specs = self.definitions().resolve_all_asset_specs()
        return {spec.key.to_user_string(): spec for spec in specs}

    def ops(self) -> dict[str, dg.AssetsDefinition]:
        """The definitions that run something, by the op's name."""
        _, assets = read_project(sling="sling")
        made = (asset for asset in assets if isinstance(asset, dg.AssetsDefinition))
        return {asset.op.name: asset for asset in made}


def _place(problem: Problem) -> tuple[str, int, int, str]:
    return problem.file, problem.line, problem.column, problem.message


@pytest.fixture
def yaml_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> YamlProject:
    """A project with a connection `shop`, for the target `local`."""
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("SHOP_URL", "postgresql://reader:s3cret@db.example.com/shop")
    monkeypatch.delenv("DP_TARGET", raising=False)
    made = YamlProject(tmp_path)
    made.write("sling/connections.yaml", SHOP)
    return made


@dataclass(frozen=True)
class Source:
    """A PostgreSQL database with a schema of the test's own."""

    url: str
    schema: str

    def execute(self, *statements: str) -> None:
        """Run statements; `{s}` stands for the schema."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as connection:
            for statement in statements:
                connection.execute(statement.replace("{s}", self.schema))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL server; one per xdist worker.

    Not below pytest's own folder: as root, the server is another user, which may not enter it.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        server.create()
        yield f"postgresql://postgres:@/postgres?host={server.start()}"
        server.remove()


def places_of(text: str) -> SourceMap:
    """Return the places of a document that stands for a whole file `spec.yaml`."""
    return SourceMap(YamlFile(Path("spec.yaml"), "spec.yaml", None, text), [])
