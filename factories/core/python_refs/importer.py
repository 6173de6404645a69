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


def imported(name: str, folder: Path) -> ModuleType:
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


def imported_function(reference: str, folder: Path) -> Callable[..., Any]:
    """Import the module of a `module:function` reference and return the function.

    Raises:
        FolderNameError: When an installed package has the folder's name.
    """
    module, _, name = reference.partition(":")
    found: Callable[..., Any] = getattr(imported(module, folder), name)
    return found


def _make_package(folder: Path) -> None:
    """Register the folder as a package, so that it need not be on `sys.path`."""
    name, place = folder.name, [str(folder)]
    known = importlib.util.find_spec(name)
    if known is not None and known.origin is not None and Path(known.origin).parent != folder:
        raise FolderNameError(f"the folder {name}/ has the name of an installed package: rename it")
    if name in sys.modules and list(getattr(sys.modules[name], "__path__", [])) == place:
        return
    for module in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        del sys.modules[module]  # of another project's folder
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = place
    sys.modules[name] = importlib.util.module_from_spec(spec)
