"""dbt projects that tests write and dbt parses, and what a code location makes of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from factories.core.assets.context import LoadContext
from factories.core.yaml.problems import sorted_problems
from factories.definitions import Asset, build_definitions, read_project

PROFILE = """
{name}:
  target: t
  outputs:
    t:
      type: snowflake
      account: "{{{{ env_var('SNOWFLAKE_ACCOUNT') }}}}"
      user: "{{{{ env_var('SNOWFLAKE_USER') }}}}"
      password: "{{{{ env_var('DBT_ENV_SECRET_SNOWFLAKE_PASSWORD') }}}}"
      database: ANALYTICS
      schema: MARTS
"""


@dataclass(frozen=True)
class WrittenProject:
    """A project folder with dbt projects in it.

    Attributes:
        root: The project folder.
        dbt: The names of the dbt projects' folders.
    """

    root: Path
    dbt: tuple[str, ...] = ("dbt_project",)

    @property
    def folder(self) -> Path:
        """The first dbt project."""
        return self.root / self.dbt[0]

    def write(self, files: Mapping[str, str], folder: str | None = None) -> None:
        """Write files of a dbt project; a `profiles.yml` comes with its `dbt_project.yml`."""
        for name, text in files.items():
            path = self.root / (folder or self.dbt[0]) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            written = textwrap.dedent(text).lstrip("\n")
            path.write_text(written)
            if name == "dbt_project.yml":
                profile = written.split("profile: ")[1].split("\n")[0]
                path.with_name("profiles.yml").write_text(PROFILE.format(name=profile))

    def read(self, **environment: str) -> tuple[LoadContext, list[Asset]]:
        """Read the projects as a code location does."""
        with self.environ(**environment):
            return read_project(dbt=self.dbt)

    def problems(self, **environment: str) -> list[str]:
        """Every problem as text, in order."""
        load_context, assets = self.read(**environment)
        assert not (load_context.problems and assets)
        return [str(problem) for problem in sorted_problems(load_context.problems)]

    def definitions(self) -> dg.Definitions:
        with self.environ():
            return build_definitions(dbt=self.dbt)

    @contextmanager
    def environ(self, **environment: str) -> Iterator[None]:
        """This project's environment; dbt parses when files changed."""
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("DP_TARGET", raising=False)
            patch.setenv("DP_PROJECT_DIR", str(self.root))
            patch.setenv("DP_PREPARE_DBT", "1")
            for name, value in environment.items():
                patch.setenv(name, value)
            yield


@dataclass(frozen=True)
class Loaded:
    """What a code location holds.

    Attributes:
        specs: Of every asset that is declared, by key.
        deps: The keys that each asset reads, by its key.
        checks: By asset and name, `shop/stg/orders:not_null_id`.
        ops: The keys that each op builds, or the checks that it runs.
    """

    specs: Mapping[str, dg.AssetSpec]
    deps: Mapping[str, set[str]]
    checks: Mapping[str, dg.AssetCheckSpec]
    ops: Mapping[str, set[str]]

    @classmethod
    def of(cls, definitions: dg.Definitions) -> Loaded:
        specs = {
            spec.key.to_user_string(): spec
            for spec in definitions.resolve_all_asset_specs()
            if "dagster/auto_created_stub_asset" not in spec.metadata
        }
        deps = {
            key: {dep.asset_key.to_user_string() for dep in spec.deps}
            for key, spec in specs.items()
        }
        made = [a for a in definitions.assets or () if isinstance(a, dg.AssetsDefinition)]
        checks = {
            f"{check.asset_key.to_user_string()}:{check.name}": check
            for asset in made
            for check in asset.check_specs
        }
        ops = {
            asset.op.name: {key.to_user_string() for key in asset.keys}
            or {check.name for check in asset.check_specs}
            for asset in made
        }
        return cls(specs, deps, checks, ops)
