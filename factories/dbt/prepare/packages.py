"""The packages of a dbt project: which it names, and whether these are installed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from factories.core.yaml.limits import load_plain
from factories.dbt.project.source_files import packages_path, project_settings

LOCK = "package-lock.yml"
NAMED_IN = ("packages.yml", "dependencies.yml")


def lacking(project: Path, installed: str | None) -> str | None:
    """Return the file whose packages are not installed as it names them; None when all are.

    dbt itself counts packages and compares no versions. It makes the folder again whenever it
    installs, so a file that is older than the folder needs no look.

    Args:
        project: The dbt project's folder.
        installed: The digest of the packages that were installed when the manifest was made: with
            it, a file that only looks newer, after a checkout, does not count as changed.
    """
    named = [name for name in NAMED_IN if _packages(project / name)]
    if not named:
        return None
    folder, lock = project / packages_path(project_settings(project)), project / LOCK
    if not (folder.is_dir() and lock.is_file()):
        return named[0]
    since = folder.stat().st_mtime
    newer = next((n for n in (*named, LOCK) if (project / n).stat().st_mtime > since), None)
    return newer if newer and packages_digest(project) != installed else None


def packages_digest(project: Path) -> str:
    """Return a digest of what names the packages."""
    digest = hashlib.sha256()
    for name in (*NAMED_IN, LOCK):
        path = project / name
        digest.update(path.read_bytes() if path.is_file() else b"")
        digest.update(b"\0")
    return digest.hexdigest()


def local_packages(project: Path) -> list[Path]:
    """Return the folders of packages on this machine: no version says that they changed."""
    folders = [
        (project / package["local"]).resolve()
        for name in NAMED_IN
        for package in _packages(project / name)
        if isinstance(package, dict) and isinstance(package.get("local"), str)
    ]
    return [folder for folder in folders if folder.is_dir()]


def _packages(path: Path) -> list[Any]:
    """Return the packages that a file names; dbt itself reports a file that it cannot read."""
    try:
        data = load_plain(path.read_bytes())
    except (FileNotFoundError, yaml.YAMLError):
        return []
    packages = data.get("packages") if isinstance(data, dict) else None
    return packages if isinstance(packages, list) else []
