"""`dp plan`: what a change does to the asset graph, before it is deployed."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from factories.cli.changes import location_snapshot
from factories.cli.changes.git_changes import GitError, run_git
from factories.cli.changes.plan import Difference, Graph, Plan, compare
from factories.cli.workspace import (
    CodeLocation,
    LocationProcessError,
    read_workspace,
    run_in_location,
)
from factories.core.project import project_root
from factories.core.yaml.problems import ConfigError, Problem, format_problems

ENVIRONMENTS = ".venvs"
# A comment with this line is the plan's, and is replaced by the next one.
COMMENT = "<!-- dp plan -->"
MARKS = {"added": "+", "removed": "-", "renamed": "~", "changed": "~"}


def show_plan(base: str, *, as_json: bool, as_markdown: bool) -> int:
    """Print what differs from a base does; return the exit status.

    It is 1 when a location cannot be built: then the plan says nothing of it.
    """
    try:
        plan = make_plan(project_root(), base)
    except ConfigError as error:
        sys.stderr.write(f"{format_problems(list(error.problems))}\n")
        return 1
    except GitError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if as_json:
        sys.stdout.write(f"{json.dumps(asdict(plan))}\n")
    elif as_markdown:
        sys.stdout.write(f"{markdown(plan)}\n")
    else:
        _print_tables(plan, Console())
    return 1 if plan.errors else 0


def make_plan(root: Path, base: str) -> Plan:
    """Build the definitions at a base and as they are, and compare them.

    Raises:
        ConfigError: When a `workspace.yaml` cannot be read.
        GitError: When the base is unknown.
    """
    with _checkout(root, base) as former, ThreadPoolExecutor(max_workers=2) as pool:
        before, after = pool.map(_build, [former, root])
    return compare(before, after)


@contextmanager
def _checkout(root: Path, base: str) -> Iterator[Path]:
    """Give the project as it was where this branch left the base, with the environments of now."""
    ancestor = run_git(root, "merge-base", base, "HEAD").strip()
    inside = run_git(root, "rev-parse", "--show-prefix").strip()
    with tempfile.TemporaryDirectory(prefix="dp-plan-") as folder:
        top = Path(folder) / "base"
        run_git(root, "worktree", "add", "--quiet", "--detach", str(top), ancestor)
        try:
            former = top / inside
            (former / ENVIRONMENTS).symlink_to(root / ENVIRONMENTS)
            _copy_parsed(root, former)
            yield former
        finally:
            run_git(root, "worktree", "remove", "--force", str(top))


def _copy_parsed(root: Path, former: Path) -> None:
    """Copy what dbt has parsed: it parses only what differs."""
    for parsed in root.glob("*/target/dagster"):
        if (former / parsed.relative_to(root).parts[0]).is_dir():
            shutil.copytree(parsed, former / parsed.relative_to(root))


def _build(root: Path) -> Graph:
    problems: list[Problem] = []
    locations = read_workspace(root, problems)
    if problems:
        raise ConfigError(problems)
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda location: _snapshot(root, location), locations)
        return dict(zip((location.name for location in locations), found, strict=True))


def _snapshot(root: Path, location: CodeLocation) -> dict[str, object]:
    arguments = [location_snapshot.__file__, str(root), location.module]
    environment = {"DP_PROJECT_DIR": str(root), "DP_PREPARE_DBT": "1"}
    try:
        text = run_in_location(root, location, arguments, environment)
    except LocationProcessError as error:
        return {"error": str(error)}
    found: dict[str, object] = json.loads(text)
    return found


def markdown(plan: Plan) -> str:
    """Return a plan as one comment for a pull request."""
    lines = [COMMENT, "## What this change does", ""]
    lines += [f"**{name}** cannot be built:\n```\n{why}\n```" for name, why in plan.errors.items()]
    if not plan.differences:
        return "\n".join([*lines, "Nothing in the asset graph changes."])
    lines += ["| | | what changes |", "| --- | --- | --- |"]
    lines += [
        f"| {MARKS[one.kind]} | {one.location} | `{one.subject}` {_cell(one.text)} |"
        for one in plan.differences
    ]
    if plan.runs:
        count = len(plan.runs)
        lines += ["", f"<details><summary>{count} assets will run because of it</summary>", ""]
        lines += [f"- `{run.key}` {run.when}" for run in plan.runs]
        lines += ["", "</details>"]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def _print_tables(plan: Plan, console: Console) -> None:
    for name, why in plan.errors.items():
        console.print(f"{name} cannot be built: {why}", style="red", markup=False)
    if not plan.differences:
        console.print("Nothing in the asset graph changes.")
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for column in range(4):
        table.add_column(overflow="fold", no_wrap=column < 2)  # noqa: PLR2004 - mark and location
    for row in _rows(plan.differences):
        table.add_row(*row)
    console.print(table, markup=False)
    if plan.runs:
        console.print("\nBecause of it these run:")
        for run in plan.runs:
            console.print(f"  {run.key}: {run.when}", markup=False, highlight=False)


def _rows(differences: Sequence[Difference]) -> Iterator[tuple[str, str, str, str]]:
    for one in differences:
        yield MARKS[one.kind], one.location, one.subject, one.text
