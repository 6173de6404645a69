"""The Python files of a folder `defs`: found, imported, and searched for Dagster's definitions.

Dagster's `load_from_defs_folder` takes one folder for a whole project, and this one has several
code locations; `load_definitions_from_package_module` passes over folders without `__init__.py`. So
the files are found here, and each module is given to Dagster's loader.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import dagster as dg
from dagster import PreviewWarning

from factories.core.assets.context import LoadContext, Origin
from factories.core.dagster_internals import is_lazy_definitions
from factories.core.meta.named_conditions import ConditionError
from factories.core.python_defs.declarations import KINDS, Declarations, Declared, PlacesOf
from factories.core.python_defs.error_places import error_place
from factories.core.python_defs.postponed_annotations import postponed_annotation_problems
from factories.core.python_refs.ast_reader import ModuleNames
from factories.core.python_refs.importer import import_below
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name

ERROR_LENGTH = 500
# What `dg scaffold` writes for a component of Dagster's; only Dagster's own loader reads it.
COMPONENT_FILES = ("defs.yaml", "defs.yml", "component.yaml")


def python_paths(folder: Path) -> list[Path]:
    """Return the Python files below a folder, by name: results never depend on the file system."""
    paths = (path.relative_to(folder) for path in folder.rglob("*.py"))
    return [folder / path for path in sorted(paths) if not any(p[0] == "." for p in path.parts)]


def read_python_files(folder: Path, load_context: LoadContext, found: Declarations) -> None:
    """Import every Python file below a folder, and gather what they declare.

    Args:
        folder: Of a code location, usually `code_locations/<location>/defs`.
        load_context: Receives the problem of each file that cannot be imported.
        found: Receives the rest.
    """
    for path in sorted(path for name in COMPONENT_FILES for path in folder.rglob(name)):
        message = "components of Dagster are not loaded here: declare the same in Python"
        load_context.problems.append(Problem(display_name(path, load_context.root), 1, 1, message))
    for path in python_paths(folder):
        try:
            module = import_below(path, folder, load_context.root)
            _add_module(module, path, load_context, found)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the file raises is the finding
            load_context.problems += import_problems(error, path, load_context.root)


def import_problems(error: BaseException, path: Path, root: Path) -> Iterable[Problem]:
    """Return the problems of a file that cannot be imported, at the line that is to blame."""
    place, line = error_place(error, root) or (path, 1)
    name = display_name(place, root)
    if isinstance(error, SyntaxError):
        yield Problem(name, line, error.offset or 1, f"not valid Python: {error.msg}")
    elif isinstance(error, ConditionError):
        for problem in error.problems:
            yield dataclasses.replace(problem, file=name, line=line, column=1)
    else:
        postponed = (
            list(postponed_annotation_problems(place, name, line)) if is_dagsters(error) else []
        )
        text = " ".join(str(error).split())[:ERROR_LENGTH]
        message = f"cannot be imported: {type(error).__name__}: {text}".removesuffix(": ")
        yield from postponed or [Problem(name, line, 1, message)]


def is_dagsters(error: BaseException) -> bool:
    """Tell whether it is Dagster that refuses what a file declares."""
    return type(error).__module__.startswith("dagster")


def _add_module(
    module: ModuleType, path: Path, load_context: LoadContext, found: Declarations
) -> None:
    """Add what a module declares; as Dagster does it, only its `Definitions` where it has one."""
    name = display_name(path, load_context.root)
    with tokenize.open(path) as file:
        tree = ast.parse(file.read())
    lines = ModuleNames(tree).found
    imported = _imported_names(tree)
    explicit: list[tuple[dg.Definitions, Origin]] = []
    bound: dict[int, Declared] = {}
    implicit: list[tuple[str, object]] = []
    for attribute, value in vars(module).items():
        origin = Origin(name, lines.get(attribute, 1))
        is_imported = attribute in imported
        if isinstance(value, dg.Definitions) or is_lazy_definitions(value):
            if not is_imported:  # else it is found in its own file
                explicit += _definitions(value, attribute, origin, load_context.problems)
            continue
        for kind, part in _parts(attribute, value):
            if id(part) not in bound or bound[id(part)].imported:
                bound[id(part)] = Declared(part, origin, imported=is_imported)
            implicit.append((kind, part))
    for definitions, origin in explicit:
        found.add_definitions(definitions, PlacesOf(origin, load_context.root, bound))
    if not explicit:
        for kind, part in implicit:
            found.add(kind, bound[id(part)])


def _parts(attribute: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield what Dagster's loader finds behind one name of a module.

    The loader is given one name at a time: of two things with one key or name it would only say
    that they are somewhere in the module.
    """
    if inspect.ismodule(value) or inspect.isclass(value) or inspect.isfunction(value):
        return
    module = ModuleType(attribute)
    setattr(module, attribute, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PreviewWarning)
        definitions = dg.load_definitions_from_module(module)
    for kind in KINDS:
        for part in getattr(definitions, kind) or ():
            yield kind, part


def _definitions(
    value: object, name: str, origin: Origin, problems: list[Problem]
) -> Iterator[tuple[dg.Definitions, Origin]]:
    """Yield a `Definitions` object, or what a function below `@dg.definitions` returns."""
    message = None
    if isinstance(value, dg.Definitions):
        made: object = value
    elif getattr(value, "has_context_arg", False):
        message = (
            f"{name} takes a ComponentLoadContext, but there is none here: let it take nothing"
        )
    else:
        made = value()  # type: ignore[operator]  # the caller has looked
        if not isinstance(made, dg.Definitions):
            message = f"{name} returns {type(made).__name__}, not Definitions"
    if message is None and isinstance(made, dg.Definitions):
        if made.executor is not None:
            message = "the executor belongs to the whole code location: leave it out here"
        yield made, origin
    if message is not None:
        problems.append(Problem(origin.file, origin.line, origin.column, message))


def _imported_names(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
