"""What the commands of this folder have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


class CommandError(Exception):
    """The command cannot do what it was asked; the text says why."""


def run_command(command: Callable[[list[str]], None]) -> None:
    """Be a command: a `CommandError` is one sentence on standard error, and the status 1."""
    try:
        command(sys.argv[1:])
    except CommandError as error:
        sys.exit(str(error))


def say(text: str) -> None:
    """Print a line, at once: a program that follows prints among them."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def needed(name: str, what: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return a variable that must be set.

    Args:
        name: The variable.
        what: What it says, for the sentence that asks for it.
        environ: Where it is looked for.

    Raises:
        CommandError: When it is not set.
    """
    if not environ.get(name):
        raise CommandError(f"{name} is not set: {what}")
    return environ[name]


def add_summary(text: str) -> None:
    """Show Markdown on the page of the workflow's run; elsewhere this does nothing."""
    _append("GITHUB_STEP_SUMMARY", text)


def set_output(name: str, value: str) -> None:
    """Give the later steps and jobs of a workflow a value of one line; elsewhere this prints it."""
    if "\n" in value:
        raise ValueError(f"the output {name} has several lines")
    if not _append("GITHUB_OUTPUT", f"{name}={value}"):
        say(f"{name}={value}")


def _append(variable: str, text: str) -> bool:
    if not (path := os.environ.get(variable)):
        return False
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    return True
