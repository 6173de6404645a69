"""Importing the modules of a project's folder of YAML files, where a run calls their functions."""

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
    """A folder has the name of an installed package."""


def imported(name: str, folder: Path) -> ModuleType:
    """Import a module of the folder, or one that is installed.

    The folder is a package of its own name (`dlt_pipelines.calendar`), wherever the process was
    started: its modules import each other below it, and none hides one of the standard library.

    Raises:
        FolderNameError: When an installed package has the folder's name.
    """
    base = folder.joinpath(*name.split("."))
    if not (base.with_name(f"{base.name}.py").is_file() or (base / "__init__.py").is_file()):
        return importlib.import_module(name)
    _make_package(folder)
    return importlib.import_module(f"{folder.name}.{name}")


def imported_function(reference: str, folder: Path) -> Callable[..., Any]:
    """Return the function that `module:function` names; its module is imported, which runs it.

    Raises:
        FolderNameError: When an installed package has the folder's name.
    """
    module, _, name = reference.partition(":")
    found: Callable[..., Any] = getattr(imported(module, folder), name)
    return found


def _make_package(folder: Path) -> None:
    """Let Python know the folder as a package, which it need not be on its path for."""
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
