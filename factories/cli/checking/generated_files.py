"""Committed files that a command writes, when they are not what it would write now."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from factories.core.yaml.problems import Problem


def outdated_files(root: Path) -> Iterator[Problem]:
    """Yield the reference of the YAML at its first line that differs; a project may have none."""
    # Imports every model of YAML: while the code locations load, that costs no time.
    from factories.cli.reference.page import REFERENCE, reference  # noqa: PLC0415 - see above

    path = root / REFERENCE
    if not path.is_file():
        return
    # A checkout on Windows may have other line ends.
    committed = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = zip_longest(committed, reference().splitlines())
    for number, (line, wanted) in enumerate(pairs, start=1):
        if line != wanted:
            message = "is not what the models of the YAML say: run `dp docs`, and commit it"
            yield Problem(REFERENCE, number, 1, message)
            return
