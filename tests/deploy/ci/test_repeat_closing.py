"""What is done again at night of the ends of pull requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.ci.command import CommandError
from deploy.ci.github import Repository
from deploy.ci.repeat_closing import main, repeat_closing
from tests.deploy.ci.github_api import GitHubServer

NOW = datetime(2024, 3, 10, 3, 17, tzinfo=UTC)


def closing(number: int, day: str, status: str = "failure") -> dict[str, Any]:
    """The run that closed a pull request."""
    return {
        "id": number,
        "head_branch": f"branch-{number}",
        "status": status,
        "created_at": f"{day}T12:00:00Z",
        "html_url": f"https://example.com/runs/{number}",
    }


def test_failed_jobs_of_the_last_nights_are_repeated(
    github: GitHubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """But for a pull request that is open again."""
    github.pulls = [7]
    github.runs = [
        closing(9, "2024-03-09"),
        closing(8, "2024-03-08", "success"),
        closing(7, "2024-03-07"),
        closing(6, "2024-03-03"),
        closing(5, "2024-03-02"),
    ]

    repeat_closing(Repository.of_workflow(), NOW)

    assert github.repeated == ["9", "6"]
    assert capsys.readouterr().out.splitlines() == [
        "branch-9: repeated https://example.com/runs/9",
        "branch-6: repeated https://example.com/runs/6",
        "2 runs of pull-request-closed.yml repeated",
    ]


def test_night_without_failures_asks_once(github: GitHubServer) -> None:
    main([])

    assert len(github.requests) == 1


def test_job_that_may_not_repeat_is_told(github: GitHubServer) -> None:
    github.refuses = 403

    with pytest.raises(CommandError, match="GitHub answered 403 to GET"):
        main([])
