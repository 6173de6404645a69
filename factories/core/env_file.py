"""The project's `.env`: environment variables of one machine, or one person.

Real environment variables win over it. What `dp` starts inherits them, and reads no `.env` again.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from dotenv.parser import Binding, parse_stream
from dotenv.variables import Variable, parse_variables

from factories.core.yaml.problems import ConfigError, Problem

ENV_FILE = ".env"
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
PLACE = "DP_PROJECT_DIR"  # says where the file is, so the file cannot say it


@dataclass(frozen=True)
class _Line:
    """A variable of the file; its text may be a secret, and is in no message."""

    name: str
    text: str
    number: int


def load_env_file(root: Path, environ: MutableMapping[str, str] = os.environ) -> None:
    """Add the variables of a project's `.env` to an environment, those that it does not have.

    Args:
        root: The project folder.
        environ: The environment.

    Raises:
        ConfigError: When the file cannot be used, with each of its mistakes.
    """
    for name, value in read_env_file(root, environ).items():
        environ.setdefault(name, value)


def read_env_file(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a project's `.env`; none when there is no such file.

    It is read as python-dotenv reads it, which Dagster uses too: with quotes, comments, `export`,
    and `${OTHER}` for the value of another variable.

    Args:
        root: The project folder.
        environ: What `${OTHER}` is looked for in, before the lines above it.

    Raises:
        ConfigError: When the file cannot be used, with each of its mistakes.
    """
    text = _read(root / ENV_FILE)
    problems: list[Problem] = []
    values: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for line in _lines(text, problems):
        if first := numbers.get(line.name):
            problems.append(_problem(line.number, f"{line.name} is set on line {first} already"))
            continue
        numbers[line.name] = line.number
        values[line.name] = _resolve(line, {**values, **environ}, problems)
    if problems:
        raise ConfigError(problems)
    return values


def keep_own_environment(environ: MutableMapping[str, str] = os.environ) -> None:
    """Give this process back the variables that a `.env` has replaced.

    Dagster's webserver and daemon read the `.env` of the folder that they run in, over the real
    environment. What a process was started with stands in the system's own record of it.

    Args:
        environ: The environment of this process.
    """
    path = Path(ENV_FILE)
    if not path.is_file():
        return
    own = psutil.Process().environ()
    with path.open(encoding="utf-8", errors="replace") as file:
        names = {binding.key for binding in parse_stream(file)}
    environ.update({name: own[name] for name in names if name in own})


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError([_problem(0, f"cannot be read: {reason}")]) from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([_problem(number, "is not UTF-8 here")]) from None


def _lines(text: str, problems: list[Problem]) -> Iterator[_Line]:
    """Yield the variables; a line whose text cannot be understood is told by its number alone."""
    for binding in parse_stream(io.StringIO(text, newline="")):
        number = _number(binding)
        if wrong := _what_is_wrong(binding):
            problems.append(_problem(number, wrong))
        elif binding.key is not None:
            yield _Line(binding.key, binding.value or "", number)


def _number(binding: Binding) -> int:
    """Return the line that a variable begins on; python-dotenv counts from the one before it."""
    before = re.match(r"\s*", binding.original.string)
    return binding.original.line + (before[0].count("\n") if before else 0)


def _what_is_wrong(binding: Binding) -> str:
    wrong = ""
    if binding.error:
        wrong = "is not NAME=value: is a quote left open, or is there text after one?"
    elif binding.key is None:
        pass  # a comment, or the end
    elif binding.value is None:
        wrong = "has no =, a line is NAME=value"
    elif not NAME.fullmatch(binding.key):
        wrong = "what stands before = is not the name of a variable: letters, digits and _"
    elif "\0" in binding.value:
        wrong = f"{binding.key} holds a NUL character, which an environment variable cannot"
    elif binding.key == PLACE:
        wrong = f"{PLACE} says where this file is: set it in the environment"
    return wrong


def _resolve(line: _Line, known: Mapping[str, str], problems: list[Problem]) -> str:
    parts = [*parse_variables(line.text)]
    for part in parts:
        if isinstance(part, Variable) and part.default is None and part.name not in known:
            named = f"${{{part.name}}}" if NAME.fullmatch(part.name) else "a ${…}"
            message = (
                f"{line.name} needs {named}, which neither the environment nor a line above has"
            )
            problems.append(_problem(line.number, message))
    return "".join(part.resolve(known) for part in parts)


def _problem(number: int, message: str) -> Problem:
    return Problem(ENV_FILE, number, 1 if number else 0, message)
