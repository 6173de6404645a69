"""Checks Python functions that YAML names as `module:function`, without running them.

A module is read as text and parsed: while a code location loads, no code of the user's runs, and a
function that needs a database or a secret on import can be checked all the same.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from factories.core.python_refs.annotations import expected_type
from factories.core.python_refs.ast_reader import (
    CallShape,
    ModuleNames,
    Parameter,
    call_shape,
    is_transparent,
    parameters,
)
from factories.core.yaml import variables
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import KeyPath, YamlFile, display_name
from factories.core.yaml.validation import format_value

REFERENCE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True)
class FunctionSource:
    """Where a function is defined, and what it takes.

    Attributes:
        module: Dotted name of its module.
        name: Its name.
        path: The file; None for a module that has no Python file.
        line: 1-based line of its definition; 0 when the file does not say.
        parameters: What can be given by name; None when that cannot be known without running
            the module: a name that is imported or assigned, or an unknown decorator.
        takes_any: It has `**kwargs`, so that any other name is accepted too.
        positional: Parameters without a default that cannot be given by name.
        shape: How it can be called by position; None when `parameters` is.
    """

    module: str
    name: str
    path: Path | None
    line: int = 0
    parameters: tuple[Parameter, ...] | None = None
    takes_any: bool = False
    positional: tuple[str, ...] = ()
    shape: CallShape | None = None


class FunctionError(Exception):
    """A function cannot be found.

    Attributes:
        message: What is wrong.
        allowed: What would have been accepted.
        nearest: The allowed value that is most like what the user wrote.
        place: File, line and column, when the mistake lies in the Python file itself.
    """

    def __init__(
        self,
        message: str,
        *,
        allowed: Sequence[str] = (),
        nearest: str | None = None,
        place: tuple[Path, int, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.allowed = tuple(allowed)
        self.nearest = nearest
        self.place = place


def find_function(
    text: str, folder: Path, modules: MutableMapping[Path, ModuleNames] | None = None
) -> FunctionSource:
    """Find the function that a text `module:function` names.

    Args:
        text: The module's dotted name, a colon and the function's name.
        folder: Where modules are looked for first; so a file `calendar.py` in it wins over the
            standard library's module.
        modules: Modules that were read before, by file; this one is added, so that a file with
            many functions is read once.

    Raises:
        FunctionError: When the text is malformed, there is no such module or function, or the
            module is not valid Python.
    """
    if not REFERENCE.fullmatch(text):
        corrected = re.sub(r"\.(\w+)$", r":\1", text)
        raise FunctionError(
            f"{text!r} is not of the form module:function",
            nearest=corrected if REFERENCE.fullmatch(corrected) else None,
        )
    module, _, name = text.partition(":")
    path = module_file(module, folder)
    if path is None:
        return FunctionSource(module, name, None)
    known = {} if modules is None else modules
    if path not in known:
        known[path] = ModuleNames(_parse_file(path))
    names = known[path]
    if name not in names.found and not names.is_open:
        functions = sorted(n for n in names.functions if not n.startswith("_"))
        raise FunctionError(
            f"{path.name} has no function {name!r}",
            allowed=functions,
            nearest=nearest(name, functions) or nearest(name, names.found),
        )
    definition = names.functions.get(name)
    if definition is None:
        return FunctionSource(module, name, path, names.found.get(name, 0))
    by_name, positional = parameters(definition.args)
    if not all(is_transparent(decorator) for decorator in definition.decorator_list):
        return FunctionSource(module, name, path, definition.lineno)
    takes_any = definition.args.kwarg is not None
    shape = call_shape(definition.args)
    return FunctionSource(
        module, name, path, definition.lineno, by_name, takes_any, positional, shape
    )


def locate_function_error(file: YamlFile, at: KeyPath, error: FunctionError) -> Problem:
    """Return the problem of a function that is not found: in its own file, or where it is named."""
    if error.place is None:
        return file.problem(at, error.message, allowed=error.allowed, nearest=error.nearest)
    path, line, column = error.place
    root = Path(str(file.path).removesuffix(file.name))
    return Problem(display_name(path, root), line, column, error.message)


def argument_problems(
    file: YamlFile,
    at: KeyPath,
    function: FunctionSource,
    *,
    arguments: Mapping[str, object],
    arguments_at: KeyPath,
    given: Collection[str] = (),
) -> Iterator[Problem]:
    """Yield what is wrong with arguments that are given by name: unknown ones, missing ones."""
    if function.parameters is None:
        return
    free = [p for p in function.parameters if p.name not in given]
    names = [p.name for p in free]
    for argument in arguments:
        if argument in given:
            message = f"{argument!r} is given by the factory"
            yield file.problem([*arguments_at, argument], message, at_key=True)
        elif argument not in names and not function.takes_any:
            yield file.problem(
                [*arguments_at, argument],
                f"{function.name} has no parameter {argument!r}",
                allowed=names,
                nearest=nearest(str(argument), names),
                at_key=True,
            )
    for parameter in free:
        if parameter.name in arguments:
            value = arguments[parameter.name]
            known = next(variables.names(value), None) is None
            if known and (kind := expected_type(parameter.annotation, value)) is not None:
                message = (
                    f"{parameter.name}: {function.name} takes {kind}, not {format_value(value)}"
                )
                yield file.problem([*arguments_at, parameter.name], message)
    place = arguments_at if file.has(arguments_at) else at
    at_key = place is arguments_at
    missing = [p.name for p in free if p.required and p.name not in arguments]
    for name in missing:
        message = f"the argument {name!r} of {function.name} is missing"
        yield file.problem(place, message, at_key=at_key)
    for name in function.positional:
        message = f"{function.name} takes {name!r} by position only: it cannot be given by name"
        yield file.problem(at, message)


def call_problem(
    file: YamlFile, at: KeyPath, function: FunctionSource, given: Sequence[str]
) -> Problem | None:
    """Return what is wrong with a function that is called with some arguments by position."""
    shape = function.shape
    if shape is None:
        return None
    call = f"{function.name}({', '.join(given)})"
    if shape.by_name_only:
        names = ", ".join(shape.by_name_only)
        return file.problem(at, f"it is called as {call}, and cannot do without {names}")
    if shape.fewest > len(given) or (shape.most is not None and shape.most < len(given)):
        most = "any number of" if shape.most is None else str(shape.most)
        takes = most if shape.fewest == shape.most else f"{shape.fewest} to {most}"
        return file.problem(at, f"it is called as {call}, and takes {takes} arguments")
    return None


def module_file(module: str, folder: Path) -> Path | None:
    """Return a module's file; None when the module exists and has no Python file.

    Args:
        module: The module's dotted name.
        folder: Where modules are looked for first.

    Raises:
        FunctionError: When there is no such module.
    """
    base = folder.joinpath(*module.split("."))
    for candidate in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    spec = _spec(module)
    if spec is None:
        known = [".".join(p.relative_to(folder).with_suffix("").parts) for p in _files(folder)]
        raise FunctionError(
            f"there is no module {module!r}, neither as a file in {folder.name}/ nor installed",
            allowed=known,
            nearest=nearest(module, known),
        )
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")


def _spec(module: str) -> importlib.machinery.ModuleSpec | None:
    """Return where an installed module lies; unlike `find_spec`, without importing its parents."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
        for count in range(1, len(rest) + 1):
            if spec is None or spec.submodule_search_locations is None:
                return None
            name = ".".join([top, *rest[:count]])
            locations = list(spec.submodule_search_locations)
            spec = importlib.machinery.PathFinder.find_spec(name, locations)
    except (ImportError, ValueError):  # a module without a spec, such as `__main__`
        return None
    return spec


def _parse_file(path: Path) -> ast.Module:
    try:
        with tokenize.open(path) as file:
            return ast.parse(file.read())
    except SyntaxError as error:
        place = (path, error.lineno or 1, error.offset or 1)
        raise FunctionError(f"not valid Python: {error.msg}", place=place) from None
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not Python text"
        raise FunctionError(f"cannot be read: {reason}", place=(path, 0, 0)) from None
