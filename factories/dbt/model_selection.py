"""Which models a selection of dbt names, by dbt's own selector.

The answers are kept beside the manifest that they are of: only the process that first loads a code
location after a change asks dbt.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factories.core.packages import MissingPackageError, import_function
from factories.dbt.prepare import target_folder

MANIFEST = "manifest.json"
ANSWERS = "selections.json"
SELECT_SECONDS = 120


@dataclass(frozen=True)
class ModelSelection:
    """What dbt's `--select` and `--exclude` would be given."""

    select: str
    exclude: str = ""


class SelectionError(Exception):
    """dbt does not take a selection; the text says why."""


def select_models(
    folder: Path, selections: Iterable[ModelSelection]
) -> dict[ModelSelection, frozenset[str] | SelectionError]:
    """Return the unique ids of the nodes that each selection names.

    Args:
        folder: Of a dbt project whose manifest has been made.
        selections: Each is answered; one that dbt refuses with its error.
    """
    wanted = dict.fromkeys(selections)
    content = (target_folder(folder) / MANIFEST).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    known = _read_answers(folder, digest)
    missing = [selection for selection in wanted if _key(selection) not in known]
    if missing:
        try:
            known |= _ask_dbt(folder, missing)
        except SelectionError as error:
            return dict.fromkeys(wanted, error)
        _keep_answers(folder, digest, known)
    return {selection: _answer(known[_key(selection)]) for selection in wanted}


def _key(selection: ModelSelection) -> str:
    return json.dumps([selection.select, selection.exclude])


def _answer(known: Mapping[str, Any]) -> frozenset[str] | SelectionError:
    if "refused" in known:
        return SelectionError(str(known["refused"]))
    return frozenset(known["nodes"])


def _ask_dbt(folder: Path, selections: list[ModelSelection]) -> dict[str, Any]:
    """Return dbt's answers, all by one process.

    Raises:
        SelectionError: When there is no dbt to ask, or no answer.
    """
    try:
        import_function("factories.dbt.select_nodes:select_nodes", "dagster-dbt")
    except MissingPackageError as error:
        raise SelectionError(str(error)) from None
    manifest = (target_folder(folder) / MANIFEST).resolve()
    asked = json.dumps([[selection.select, selection.exclude] for selection in selections])
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "factories.dbt.select_nodes", str(manifest)],
            cwd=folder,  # dbt looks there for the files that `path:` names
            input=asked,
            capture_output=True,
            text=True,
            timeout=SELECT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SelectionError(f"dbt has not answered within {SELECT_SECONDS} s") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise SelectionError(f"dbt's selector has failed: {said[-1]}")
    answers = json.loads(done.stdout.splitlines()[-1])
    return {_key(selection): answer for selection, answer in zip(selections, answers, strict=True)}


def _read_answers(folder: Path, digest: str) -> dict[str, Any]:
    try:
        kept = json.loads((target_folder(folder) / ANSWERS).read_bytes())
        return dict(kept["answers"]) if kept["manifest"] == digest else {}
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return {}


def _keep_answers(folder: Path, digest: str, answers: Mapping[str, Any]) -> None:
    """Write the answers whole or not at all; where nothing can be written, dbt is asked again."""
    with suppress(OSError):
        place = target_folder(folder)
        with tempfile.NamedTemporaryFile("w", dir=place, delete=False) as file:
            json.dump({"manifest": digest, "answers": answers}, file)
        os.replace(file.name, place / ANSWERS)  # noqa: PTH105 - a name, not a Path
