"""What a manifest is made of, and what it is made for, as digests that can be compared."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.limits import load_plain
from factories.dbt.prepare.errors import PrepareError
from factories.dbt.prepare.packages import local_packages, packages_digest
from factories.dbt.project.source_files import project_settings, source_folders

SUFFIXES = (".sql", ".yml", ".yaml", ".csv", ".md", ".py", ".json")
OTHER_FILES = (".dbtignore",)
PROFILES = "profiles.yml"
ENV_VAR = re.compile(rb"env_var\(\s*['\"]([A-Za-z0-9_]+)['\"]")
# While parsing these have placeholders: they are of the connection, and of no model.
OF_THE_CONNECTION = ("SNOWFLAKE_", "DBT_ENV_SECRET_")
# What `WarehouseNames` makes the names of a target of, which are compared themselves.
OF_THE_NAMES = frozenset(
    {"DP_DATABASE_SUFFIX", "DP_SCHEMA_SUFFIX", "USER", "LOGNAME", "LNAME", "USERNAME"}
)
# dbt always gets it, also when it is not set here.
TARGET = "DP_TARGET"


@dataclass(frozen=True)
class Fingerprint:
    """What a manifest depends on.

    Attributes:
        target: The target's name.
        suffixes: What sets the target's databases and schemas apart.
        versions: Of dbt and its adapter.
        files: A digest of the project's files, and of its local packages'.
        variables: A digest of the value of each environment variable that these name.
        packages: A digest of what names the packages.
    """

    target: str
    suffixes: str
    versions: str
    files: str
    variables: Mapping[str, str]
    packages: str

    def difference(self, now: Fingerprint) -> str | None:
        """Return why what was made of this one is not of `now`; None when it is."""
        if self.target != now.target:
            return f"was made for the target {self.target!r}, not for {now.target!r}"
        if self.suffixes != now.suffixes:
            return "was made for other names of databases and schemas"
        if self.versions != now.versions:
            return f"was made by dbt {self.versions}, not by {now.versions}"
        if self.files != now.files:
            return "is older than the project's files"
        names = sorted({*self.variables, *now.variables})
        other = [name for name in names if self.variables.get(name) != now.variables.get(name)]
        return f"was made with another value of {', '.join(other)}" if other else None


def fingerprint(project: Path, names: WarehouseNames) -> Fingerprint:
    """Return what a manifest of a dbt project depends on, as it is now.

    Raises:
        PrepareError: When this environment has no dbt.
    """
    digest = hashlib.sha256()
    variables: set[str] = set()
    for path, name in _files(project):
        content = path.read_bytes()
        if b"env_var" in content:
            variables |= _of_profiles(content) if name == PROFILES else _find_variables(content)
        digest.update(name.encode() + b"\0")
        digest.update(hashlib.sha256(content).digest())
    return Fingerprint(
        target=names.target,
        suffixes=f"{names.database_suffix} {names.schema_suffix}",
        versions=_versions(),
        files=digest.hexdigest(),
        variables={name: _value(name) for name in sorted(variables) if _counts(name)},
        packages=packages_digest(project),
    )


def _versions() -> str:
    try:
        found = [importlib.metadata.version(name) for name in ("dbt-core", "dbt-snowflake")]
    except importlib.metadata.PackageNotFoundError:
        raise PrepareError(
            "this environment has no dbt: a location that reads a dbt project needs one that has"
        ) from None
    return f"{found[0]} with dbt-snowflake {found[1]}"


def _counts(name: str) -> bool:
    return name != TARGET and not name.startswith(OF_THE_CONNECTION)


def _value(name: str) -> str:
    return hashlib.sha256(f"{name}={os.environ.get(name)!r}".encode()).hexdigest()


def _find_variables(content: bytes) -> set[str]:
    return {name.decode() for name in ENV_VAR.findall(content)}


def _of_profiles(content: bytes) -> set[str]:
    """Return what decides where models lie: the rest of a profile is how to connect."""
    try:
        data = load_plain(content)
    except yaml.YAMLError:
        return _find_variables(content)
    texts: list[Any] = []
    for profile in _mappings(data):
        texts.append(profile.get("target"))
        for output in _mappings(profile.get("outputs")):
            texts += [output.get("database"), output.get("schema")]
    return _find_variables("\n".join(str(text) for text in texts).encode()) - OF_THE_NAMES


def _mappings(of: Any) -> list[dict[str, Any]]:
    values = of.values() if isinstance(of, dict) else ()
    return [value for value in values if isinstance(value, dict)]


def _files(project: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files that dbt may read, and their names: of a local package by its path."""
    for root in (project, *sorted(local_packages(project))):
        for folder, files in source_folders(root, project_settings(root)):
            below = os.path.relpath(folder, project)
            for name in files:
                if name.endswith(SUFFIXES) or name in OTHER_FILES:
                    yield Path(folder) / name, name if below == "." else f"{below}/{name}"
