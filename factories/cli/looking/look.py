"""The commands that tell how the platform is; none of them starts a Dagster."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from factories.cli.looking.assets import ProjectAsset, produced_ones, read_assets
from factories.cli.looking.instance import (
    InstanceUnreadableError,
    nothing_has_run,
    opened_instance,
    why_automation_is_off,
)
from factories.cli.looking.runs import RunRow, read_runs
from factories.cli.looking.status import read_statuses
from factories.cli.looking.tables import print_assets, print_runs, print_statuses
from factories.cli.selection import SelectionError, select_assets
from factories.cli.serving.dagster_process import instance_folder
from factories.core.project import project_root
from factories.core.yaml.problems import format_problems


def show_status(selection: Sequence[str], *, as_json: bool) -> int:
    """Tell how assets are.

    Returns:
        The exit status: 0 however the assets are, 1 when that cannot be told of all.
    """
    home = instance_folder(project_root())
    try:
        found, complete = _selected(selection, produced=True)
        with opened_instance(home) as instance:
            now = time.time()
            statuses = read_statuses(instance, found, now)
            off = why_automation_is_off(instance, home, now) if instance else nothing_has_run(home)
    except (SelectionError, InstanceUnreadableError) as error:
        _say(str(error))
        return 1
    if as_json:
        _print_json({"automation_off": off or None, "assets": [asdict(row) for row in statuses]})
    else:
        print_statuses(Console(), statuses, now)
        if off:
            _say(off)
    return 0 if complete else 1


def show_assets(selection: Sequence[str], *, as_json: bool) -> int:
    """Tell how assets are defined.

    Returns:
        The exit status: 1 when a code location does not load, or a name selects nothing.
    """
    try:
        found, complete = _selected(selection, produced=False)
    except SelectionError as error:
        _say(str(error))
        return 1
    if as_json:
        _print_json([asset.to_data() for asset in found])
    else:
        print_assets(Console(), found)
    return 0 if complete else 1


def show_runs(limit: int, *, as_json: bool) -> int:
    """Tell of the last runs.

    Returns:
        The exit status: 1 when the instance cannot be read.
    """
    home = instance_folder(project_root())
    rows: list[RunRow] = []
    try:
        with opened_instance(home) as instance:
            if instance:
                rows = read_runs(instance, limit, time.time())
    except InstanceUnreadableError as error:
        _say(str(error))
        return 1
    if as_json:
        _print_json([asdict(row) for row in rows])
    elif rows:
        print_runs(Console(), rows)
    else:
        _say("nothing has run yet" if instance else nothing_has_run(home))
    return 0


def _selected(selection: Sequence[str], *, produced: bool) -> tuple[list[ProjectAsset], bool]:
    """Return the assets that are told of, and whether these are all: what does not load is said.

    Raises:
        SelectionError: When a name stands for no asset.
    """
    with Console(stderr=True).status("reading the code locations"):
        assets, problems = read_assets(project_root())
    if problems:
        _say(format_problems(problems))
    return select_assets(produced_ones(assets) if produced else assets, selection), not problems


def _say(text: str) -> None:
    """Tell something that is not among the data."""
    sys.stderr.write(f"{text}\n")


def _print_json(data: Any) -> None:
    print(json.dumps(data))  # noqa: T201 - the command's output
