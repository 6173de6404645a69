"""Which YAML files of a dbt project dbt reads as properties of its models, seeds and tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from factories.core.yaml.limits import load_plain

PROJECT_FILE = "dbt_project.yml"
# The keys of `dbt_project.yml` that name folders, and dbt's defaults.
FOLDERS = {
    "model-paths": ["models"],
    "seed-paths": ["seeds"],
    "snapshot-paths": ["snapshots"],
    "analysis-paths": ["analyses"],
    "macro-paths": ["macros"],
    "test-paths": ["tests"],
    "function-paths": ["functions"],
}
# Folders that dbt writes itself, and the keys that rename them.
WRITTEN = {"target-path": "target", "log-path": "logs", "packages-install-path": "dbt_packages"}
INTERNAL = "dbt_internal_packages"


def project_settings(project: Path) -> dict[str, Any]:
    """Return the content of `dbt_project.yml`.

    It is empty when the file is not a mapping of YAML, which dbt will report.
    """
    try:
        data = load_plain((project / PROJECT_FILE).read_bytes())
    except (FileNotFoundError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def packages_path(settings: Mapping[str, Any]) -> str:
    """Return where dbt installs packages, relative to the dbt project."""
    return _plain(settings, "packages-install-path")


def source_folders(project: Path, settings: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the folders of a dbt project without those that dbt writes, and their files' names.

    Args:
        project: The dbt project's folder.
        settings: The content of `dbt_project.yml`.
    """
    written = {str(project / _plain(settings, key)) for key in WRITTEN}
    # What was written before a key renamed it is not a source either.
    written |= {str(project / name) for name in (*WRITTEN.values(), INTERNAL)}
    for at, folders, files in os.walk(project):
        folders[:] = sorted(name for name in folders if f"{at}/{name}" not in written)
        yield at, sorted(files)


def properties_files(project: Path, settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the files, relative to the dbt project, in order.

    Any other YAML, such as that of CI, does not belong to dbt: it need not be a properties file.

    Args:
        project: The dbt project's folder.
        settings: The content of `dbt_project.yml`.
    """
    ignored = _ignored(project)
    folders = {
        folder
        for key, default in FOLDERS.items()
        for folder in _read_folders(settings, key, default)
    }
    found = []
    for at, files in source_folders(project, settings):
        below = os.path.relpath(at, project)
        if below != "." and any(_is_below(below, folder) for folder in folders):
            found += [f"{below}/{name}" for name in files if name.endswith((".yml", ".yaml"))]
    return sorted(name for name in found if not ignored(name))


def _is_below(path: str, folder: str) -> bool:
    plain = os.path.normpath(folder)
    return plain in (".", path) or path.startswith(f"{plain}/")


def _read_folders(settings: Mapping[str, Any], key: str, default: list[str]) -> list[str]:
    value = settings.get(key, default)
    return [str(folder) for folder in value] if isinstance(value, list) else default


def _plain(settings: Mapping[str, Any], key: str) -> str:
    value = settings.get(key)
    return value.rstrip("/") if isinstance(value, str) and "{{" not in value else WRITTEN[key]


def _ignored(project: Path) -> Callable[[str], bool]:
    path = project / ".dbtignore"
    if not path.is_file():
        return lambda _: False
    import pathspec  # noqa: PLC0415 - dbt brings it, and few projects ignore anything

    lines = path.read_text(encoding="utf-8").splitlines()
    return pathspec.PathSpec.from_lines("gitwildmatch", lines).match_file
