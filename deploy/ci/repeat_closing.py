"""`python -m deploy.ci.repeat_closing`: what failed when pull requests were closed is run again.

The workflow `pull request closed` drops what a pull request had. Where Snowflake or Dagster+ did
not answer then, its failed jobs are repeated, on each of the nights that follow.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

from deploy.ci.command import run_command, say
from deploy.ci.github import Repository

WORKFLOW = "pull-request-closed.yml"
NIGHTS = 7


def main(arguments: list[str]) -> None:
    """Repeat the failed jobs."""
    parser = argparse.ArgumentParser(prog="python -m deploy.ci.repeat_closing", description=__doc__)
    parser.parse_args(arguments)
    repeat_closing(Repository.of_workflow(), datetime.now(UTC))


def repeat_closing(repository: Repository, now: datetime) -> None:
    """Repeat the failed jobs of the last nights, but for branches that are open again.

    Raises:
        CommandError: When GitHub refuses.
    """
    since = f">={now - timedelta(days=NIGHTS):%Y-%m-%d}"
    path = f"actions/workflows/{WORKFLOW}/runs"
    failed = repository.get(path, status="failure", created=since, per_page="100")["workflow_runs"]
    pulls = repository.list_all("pulls", state="open") if failed else ()
    still_open = {pull["head"]["ref"] for pull in pulls}
    repeated = [run for run in failed if run["head_branch"] not in still_open]
    for run in repeated:
        repository.send("POST", f"actions/runs/{run['id']}/rerun-failed-jobs", {})
        say(f"{run['head_branch']}: repeated {run['html_url']}")
    say(f"{len(repeated)} runs of {WORKFLOW} repeated")


if __name__ == "__main__":
    run_command(main)
