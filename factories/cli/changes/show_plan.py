"""`dp plan`: what a change does to the asset graph, before it is deployed."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from factories.cli.changes.plan import Difference, Plan
from factories.cli.changes.refusals import run_or_refuse
from factories.cli.changes.two_builds import make_plan
from factories.cli.changes.words import name_some
from factories.core.project import project_root

# A comment with this line is the plan's, and is replaced by the next one.
COMMENT = "<!-- dp plan -->"
MARKS = {"added": "+", "removed": "-", "renamed": "~", "changed": "~"}


def show_plan(base: str, *, as_json: bool, as_markdown: bool) -> int:
    """Print what differs from a base does; return the exit status.

    It is 1 when a location cannot be built: then the plan says nothing of it.
    """

    def show() -> int:
        plan = make_plan(project_root(), base)
        if as_json:
            sys.stdout.write(f"{json.dumps(asdict(plan))}\n")
        elif as_markdown:
            sys.stdout.write(f"{markdown(plan)}\n")
        else:
            _print_tables(plan, Console())
        return 1 if plan.errors else 0

    return run_or_refuse(show)


def markdown(plan: Plan) -> str:
    """Return a plan as one comment for a pull request."""
    lines = [COMMENT, "## What this change does", ""]
    lines += [f"**{name}** cannot be built:\n```\n{why}\n```" for name, why in plan.errors.items()]
    if plan.differences:
        lines += ["| | | what changes |", "| --- | --- | --- |"]
        lines += [
            f"| {MARKS[one.kind]} | {one.location} | `{one.subject}` {_cell(one.text)} |"
            for one in plan.differences
        ]
    else:
        lines += [_nothing(plan)]
    if plan.unknown:
        lines += ["", _cell(unknown_columns(plan.unknown))]
    if plan.runs:
        count = len(plan.runs)
        lines += ["", f"<details><summary>{count} assets will run because of it</summary>", ""]
        lines += [f"- `{run.key}` {run.when}" for run in plan.runs]
        lines += ["", "</details>"]
    return "\n".join(lines)


def unknown_columns(unknown: Mapping[str, str]) -> str:
    """Return the line about the assets whose columns only the warehouse could tell."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for key, why in sorted(unknown.items()):
        by_reason[why].append(key)
    told = "; ".join(f"{name_some(keys)} ({why})" for why, keys in by_reason.items())
    return f"Not compared, because their columns are not known without the warehouse: {told}"


def _nothing(plan: Plan) -> str:
    return f"Nothing {'else ' if plan.errors else ''}in the asset graph changes."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def _print_tables(plan: Plan, console: Console) -> None:
    for name, why in plan.errors.items():
        console.print(f"{name} cannot be built: {why}", style="red", markup=False)
    if not plan.differences:
        console.print(_nothing(plan))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for column in range(4):
        table.add_column(overflow="fold", no_wrap=column < 2)  # noqa: PLR2004 - mark and location
    for row in _rows(plan.differences):
        table.add_row(*row)
    if plan.differences:
        console.print(table, markup=False)
    if plan.unknown:
        console.print(f"\n{unknown_columns(plan.unknown)}", markup=False, highlight=False)
    if plan.runs:
        console.print("\nBecause of it these run:")
        for run in plan.runs:
            console.print(f"  {run.key}: {run.when}", markup=False, highlight=False)


def _rows(differences: Sequence[Difference]) -> Iterator[tuple[str, str, str, str]]:
    for one in differences:
        yield MARKS[one.kind], one.location, one.subject, one.text
