"""Imports the Python modules beside YAML files, in the step that calls their functions."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


class FolderNameError(Exception):
    """A project folder has the same name as an installed package."""


def import_module(name: str, folder: Path) -> ModuleType:
    """Import a module of the folder, or one that is installed.

    The folder becomes a package with the folder's name (`dlt_pipelines.calendar`), wherever the
    process was started. Its modules import each other by that name, and none of them hides a module
    of the standard library.

    Raises:
        FolderNameError: When an installed package has the folder's name.
    """
    base = folder.joinpath(*name.split("."))
    if not (base.with_name(f"{base.name}.py").is_file() or (base / "__init__.py").is_file()):
        return importlib.import_module(name)
    _make_package(folder)
    return importlib.import_module(f"{folder.name}.{name}")


def import_function(reference: str, folder: Path) -> Callable[..., Any]:
    """Import the module of a `module:function` reference and return the function.

    Raises:
        FolderNameError: When an installed package has the folder's name.
    """
    module, _, name = reference.partition(":")
    found: Callable[..., Any] = getattr(import_module(module, folder), name)
    return found


def import_below(path: Path, folder: Path, root: Path) -> ModuleType:
    """Import a file of a folder by its dotted name below the project folder.

    So the file's own imports, and those of it, find the same module. Where Python does not find the
    folder by that name, as in a process that was started elsewhere, it is made known.

    Args:
        path: The file, at any depth below `folder`.
        folder: Its folders need no `__init__.py`.
        root: The project folder.

    Raises:
        ImportError: When the file's name cannot be part of a dotted name.
    """
    package = ".".join(folder.relative_to(root).parts)
    parts = path.relative_to(folder).with_suffix("").parts
    if any("." in part for part in parts):
        raise ImportError("a file whose name has a dot cannot be imported: rename it")
    if not _can_be_found(package, folder):
        _add_package(package, folder)
        _run_init(package, folder / "__init__.py")
    name = ".".join([package, *(parts[:-1] if parts[-1] == "__init__" else parts)])
    return importlib.import_module(name)


def _can_be_found(package: str, folder: Path) -> bool:
    try:
        spec = importlib.util.find_spec(package)
    except (ModuleNotFoundError, ValueError):
        return False
    places = (spec.submodule_search_locations if spec else None) or ()
    return any(Path(place).resolve() == folder.resolve() for place in places)


def _run_init(package: str, path: Path) -> None:
    """Run the `__init__.py` of a folder that was made known as a package, if it has one."""
    spec = importlib.util.spec_from_file_location(
        package, path, submodule_search_locations=[str(path.parent)]
    )
    if not path.is_file() or spec is None or spec.loader is None:
        return
    sys.modules[package] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(sys.modules[package])
    except BaseException:
        del sys.modules[package]
        raise


def _make_package(folder: Path) -> None:
    """Register the folder as a package, so that it need not be on `sys.path`."""
    name, place = folder.name, [str(folder)]
    known = importlib.util.find_spec(name)
    if known is not None and known.origin is not None and Path(known.origin).parent != folder:
        raise FolderNameError(f"the folder {name}/ has the name of an installed package: rename it")
    if name in sys.modules and list(getattr(sys.modules[name], "__path__", [])) == place:
        return
    _add_package(name, folder)


def _add_package(name: str, folder: Path) -> None:
    for module in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        del sys.modules[module]  # of another project's folder
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    sys.modules[name] = importlib.util.module_from_spec(spec)
