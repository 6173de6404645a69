"""`python -m deploy.ci.matrix`: the code locations that a workflow deploys.

It sets the outputs `matrix`, for `strategy.matrix`; `any`, which is `true` or `false`; and `base`,
the commit that they are compared with, empty where there is none.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from deploy.ci.command import CommandError, add_summary, run_command, set_output
from deploy.ci.github import Repository
from factories.cli.changes.git_changes import GitError, run_git
from factories.cli.changes.touched import Touched, TouchedLocation, find_touched
from factories.cli.workspace import load_workspace
from factories.core.project import project_root
from factories.core.yaml.problems import ConfigError, format_problems


def main(arguments: list[str]) -> None:
    """Find the locations, and set the outputs."""
    parser = argparse.ArgumentParser(prog="python -m deploy.ci.matrix", description=__doc__)
    since = parser.add_mutually_exclusive_group(required=True)
    since.add_argument("--base", help="those that differ from a commit or branch")
    since.add_argument("--since-success-of", metavar="WORKFLOW", help="of a file such as main.yml")
    parser.add_argument("--all", action="store_true", help="all, whatever has been touched")
    parser.add_argument("--branch", default="main", help="of that workflow's runs")
    given = parser.parse_args(arguments)
    root = project_root()
    base: str | None = given.base
    try:
        if given.since_success_of:
            base = last_success(Repository.of_workflow(), given.since_success_of, given.branch)
        if given.all:
            touched = all_locations(root, "all were asked for")
        elif base is None:
            touched = all_locations(root, "nothing has been deployed yet")
        elif given.since_success_of and not is_in_history(root, base):
            why = f"{base}, deployed last, is not in this branch's history"
            base, touched = None, all_locations(root, why)
        else:
            touched = find_touched(root, base)
    except ConfigError as error:
        raise CommandError(format_problems(list(error.problems))) from None
    except GitError as error:
        raise CommandError(str(error)) from None
    tell(touched, base)


def tell(touched: Touched, base: str | None) -> None:
    """Set the outputs, and show the reasons in the run's summary."""
    set_output("base", base or "")
    set_output("matrix", json.dumps(touched.matrix))
    set_output("any", "true" if touched.locations else "false")
    lines = [f"- **{one.name}**: {'; '.join(one.reasons)}" for one in touched.locations]
    add_summary("\n".join(["### Code locations", "", *(lines or ["none is touched"])]))


def all_locations(root: Path, reason: str) -> Touched:
    """Return every code location, for one reason.

    Raises:
        ConfigError: When `workspace.yaml` cannot be read.
    """
    return Touched(
        [
            TouchedLocation(one.name, one.module, str(one.python.relative_to(root)), [reason])
            for one in load_workspace(root)
        ]
    )


def last_success(repository: Repository, workflow: str, branch: str) -> str | None:
    """Return the commit that a workflow has last succeeded for; None when it never has.

    What a run left undone is then in the next one's change: a push that failed, and those whose
    runs were left out because a later one waited already.
    """
    path = f"actions/workflows/{workflow}/runs"
    runs = repository.get(path, branch=branch, status="success", per_page="1")["workflow_runs"]
    return str(runs[0]["head_sha"]) if runs else None


def is_in_history(root: Path, commit: str) -> bool:
    """Tell whether what is checked out comes from a commit."""
    try:
        run_git(root, "merge-base", commit, "HEAD")
    except GitError:
        return False
    return True


if __name__ == "__main__":
    run_command(main)
