"""Two builds of the definitions, at the commit where a branch left its base and as they are now."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from factories.cli.changes import location_snapshot
from factories.cli.changes.git_changes import read_changes, run_git
from factories.cli.changes.plan import Graph, Plan, compare
from factories.cli.changes.traced_columns import trace_columns
from factories.cli.workspace import (
    CodeLocation,
    LocationProcessError,
    load_workspace,
    run_in_location,
)

ENVIRONMENTS = ".venvs"


def make_plan(root: Path, base: str) -> Plan:
    """Build the definitions at a base and as they are, and compare them.

    Raises:
        ConfigError: When a `workspace.yaml` cannot be read.
        GitError: When the base is unknown.
    """
    with _checkout(root, base) as former, ThreadPoolExecutor(max_workers=2) as pool:
        before, after = pool.map(_build, [former, root])
        changes = read_changes(root, base)
        old, new = trace_columns((former, root), (before, after), changes)
    return compare(before, after, (old, new))


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
    locations = load_workspace(root)
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda location: _snapshot(root, location), locations)
        return dict(zip((location.name for location in locations), found, strict=True))


def _snapshot(root: Path, location: CodeLocation) -> dict[str, object]:
    arguments = [location_snapshot.__file__, str(root), location.module, location.attribute]
    environment = {"DP_PROJECT_DIR": str(root), "DP_PREPARE_DBT": "1"}
    try:
        text = run_in_location(root, location, arguments, environment)
    except LocationProcessError as error:
        return {"error": str(error)}
    found: dict[str, object] = json.loads(text)
    return found
