"""What a command about changes says when it cannot begin."""

from __future__ import annotations

import sys
from collections.abc import Callable

from factories.cli.changes.git_changes import GitError
from factories.core.yaml.problems import ConfigError, format_problems


def run_or_refuse(command: Callable[[], int]) -> int:
    """Run a command; where git or `workspace.yaml` hinders it, say so. Return the exit status."""
    try:
        return command()
    except ConfigError as error:
        sys.stderr.write(f"{format_problems(list(error.problems))}\n")
    except GitError as error:
        sys.stderr.write(f"{error}\n")
    return 1
