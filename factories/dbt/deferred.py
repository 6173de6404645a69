"""Stand-ins for objects of dagster-dbt, which is imported only when one of them is used.

Importing it costs 1.2 s and 84 MB: neither a code location that loads nor a step that builds models
has to pay for it. Whoever calls a function of dagster-dbt has imported it already.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from factories.dbt.execution.steps import DbtSteps
from factories.dbt.prepare import target_folder
from factories.dbt.project.project import DbtProject

# The metadata in which the functions of dagster-dbt look for what made an asset.
MANIFEST = "dagster_dbt/manifest"
TRANSLATOR = "dagster_dbt/dagster_dbt_translator"
PROJECT = "dagster_dbt/project"


class Deferred:
    """Stands for an object that is created when it is first used.

    `isinstance` sees the object's own class once dagster-dbt is imported. Before that no caller
    can know that class, and Dagster's own questions about metadata import nothing.
    """

    def __init__(self, create: Callable[[], Any]) -> None:
        """Take what creates the object."""
        self._create = create

    @cached_property
    def _object(self) -> Any:
        return self._create()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python's own protocols: copying, pickling
            raise AttributeError(name)
        return getattr(self._object, name)

    @property
    def __class__(self) -> Any:
        """The class of the object, when dagster-dbt is imported."""
        return type(self._object) if "dagster_dbt" in sys.modules else type(self)

    @__class__.setter
    def __class__(self, _: Any) -> None:
        raise TypeError("the class of a stand-in cannot be changed")


class ManifestFile:
    """A manifest that is read when it is asked for, as dagster-dbt's `DbtManifestWrapper`."""

    def __init__(self, path: Path) -> None:
        """Take the file."""
        self._path = path

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The content of `manifest.json`."""
        content: Mapping[str, Any] = json.loads(self._path.read_bytes())
        return content


def library_metadata(project: DbtProject) -> dict[str, Any]:
    """Return the metadata by which the functions of dagster-dbt find a project's assets.

    Dagster shows their classes; nothing of the manifest is in what a code location sends.
    """
    return {
        MANIFEST: manifest_file(project.folder),
        TRANSLATOR: Deferred(lambda: _translator(project)),
        PROJECT: Deferred(lambda: _project(project)),
    }


def manifest_file(folder: Path) -> ManifestFile:
    """Return the manifest of the dbt project in a folder."""
    return ManifestFile(target_folder(folder) / "manifest.json")


def _translator(project: DbtProject) -> Any:
    from factories.dbt.translator import DbtTranslator  # noqa: PLC0415 - imports dagster-dbt

    return DbtTranslator().bound_to(project)


def _project(project: DbtProject) -> Any:
    from factories.dbt.dbt_internals import dagster_project  # noqa: PLC0415 - as above

    return dagster_project(project.folder)


class DeferredDbtResource(Deferred, DbtSteps):
    """The default resource `dbt`: it builds models by itself; all else is `DbtResource`'s."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        """Take the folders of the code location's dbt projects."""
        super().__init__(lambda: _resource(folders))


def create_dbt_resource(folders: tuple[Path, ...]) -> DeferredDbtResource:
    """Return the default resource of a code location.

    Args:
        folders: Of its dbt projects; the first is the one that a command without assets runs in.
    """
    return DeferredDbtResource(folders)


def _resource(folders: tuple[Path, ...]) -> Any:
    from factories.core.execution.step import start_errors_as_failures  # noqa: PLC0415 - as above

    with start_errors_as_failures():
        from factories.dbt.resource import DbtResource  # noqa: PLC0415 - imports dagster-dbt

        return DbtResource.of_projects(folders)
