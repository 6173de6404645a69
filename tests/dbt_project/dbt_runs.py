"""dbt in this process, on the project of this repository or a changed copy of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

PROJECT = Path(__file__).parents[2] / "dbt_project"


@dataclass(frozen=True)
class Outcome:
    """What one run of dbt did.

    Attributes:
        success: Whether dbt's command succeeded.
        status: The status of each node, by its name.
        rows: The rows that each node's last statement touched, by its name.
        messages: dbt's message for each node, by its name.
        error: What stopped dbt before it ran any node.
    """

    success: bool
    status: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    error: str = ""

    @classmethod
    def of(cls, result: dbtRunnerResult) -> Outcome:
        results = getattr(result.result, "results", None) or []
        return cls(
            success=result.success,
            status={r.node.name: str(r.status) for r in results},
            rows={
                r.node.name: r.adapter_response["rows_affected"]
                for r in results
                if "rows_affected" in (r.adapter_response or {})
            },
            messages={r.node.name: r.message or "" for r in results},
            error=str(result.exception or ""),
        )

    @property
    def failed(self) -> set[str]:
        """The nodes that did not do what they should."""
        good = {"success", "pass", "skipped", "no-op"}
        return {name for name, status in self.status.items() if status not in good}


@dataclass(frozen=True)
class DbtProject:
    """A project and where it runs.

    Attributes:
        folder: The project's.
        target_path: Where dbt keeps what it makes: manifest, compiled SQL, parsed files.
        environment: What the profile reads.
        suffix: Of the branch deployment's databases.
    """

    folder: Path
    target_path: Path
    environment: dict[str, str]
    suffix: str

    def dbt(self, *arguments: str, **environment: str) -> Outcome:
        """Run one command of dbt."""
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 - one process of the tests runs dbt

        with self.environ(environment), pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            folders = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
            paths = ["--target-path", str(self.target_path), "--log-path", str(self.target_path)]
            return Outcome.of(dbtRunner().invoke(["--quiet", *arguments, *folders, *paths]))

    def build(self, *arguments: str) -> Outcome:
        """Run `dbt build`; nothing may fail."""
        outcome = self.dbt("build", *arguments)
        assert outcome.success, {name: outcome.messages[name] for name in outcome.failed}
        return outcome

    @contextmanager
    def environ(self, changes: dict[str, str]) -> Iterator[None]:
        """The environment that dbt runs in; other tests of this process have another."""
        with pytest.MonkeyPatch.context() as patch:
            for name in os.environ:
                if name.startswith(("SNOWFLAKE_P", "DP_", "DBT_")):
                    patch.delenv(name)
            for name, text in {**self.environment, **changes}.items():
                patch.setenv(name, text)
            yield

    def copy(self, folder: Path, *changes: tuple[str, str, str]) -> DbtProject:
        """The project with changes: in a file, a text that it has once and what replaces it.

        What is parsed comes along, so that dbt parses the changed files alone.
        """
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("target", "logs"))
        target_path = folder / "target"
        target_path.mkdir()
        shutil.copy(self.target_path / "partial_parse.msgpack", target_path)
        for name, old, new in changes:
            text = (folder / name).read_text()
            assert text.count(old) == 1, (name, old)
            (folder / name).write_text(text.replace(old, new))
        return DbtProject(folder, target_path, self.environment, self.suffix)


def profile_environment(settings: dict[str, str | int], target: str) -> dict[str, str]:
    """What profiles.yml reads, for a branch deployment on the embedded warehouse."""
    return {
        "DP_TARGET": target,
        "DBT_THREADS": "2",
        "DBT_ENV_SECRET_SNOWFLAKE_PASSWORD": str(settings["password"]),
        "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
        **{
            f"SNOWFLAKE_{name.upper()}": str(settings[name])
            for name in ("account", "user", "host", "port", "protocol", "role", "warehouse")
        },
    }
