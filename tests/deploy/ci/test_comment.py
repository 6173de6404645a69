"""The plan's comment on a pull request."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.ci import comment
from deploy.ci.command import CommandError
from deploy.ci.github import Repository
from tests.deploy.ci.github_api import NAME, TOKEN, GitHubServer

PLAN = "<!-- dp plan -->\n## What this change does\n\nNothing in the asset graph changes."
OTHER = PLAN.replace("Nothing", "Much")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.md"
    file.write_text(f"{PLAN}\n")
    return file


def post(file: Path) -> None:
    comment.main([str(file), "--pull-request", "7"])


def bodies(github: GitHubServer) -> list[str]:
    return [one["body"] for one in github.comments]


def test_first_plan_is_posted(
    github: GitHubServer, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    post(plan)

    assert bodies(github) == [PLAN]
    assert capsys.readouterr().out == "posted https://example.com/comments/1\n"
    assert (tmp_path / "summary.md").read_text() == f"{PLAN}\n"


def test_next_plan_replaces_it_among_many_comments(github: GitHubServer, plan: Path) -> None:
    """It stands on the second page; somebody quotes it before."""
    github.add_comment(PLAN, "User")
    github.add_comment(f"> {PLAN}")
    others = [f"comment {number}" for number in range(120)]
    for text in others:
        github.add_comment(text, "User")
    github.add_comment(OTHER)

    post(plan)

    assert bodies(github) == [PLAN, f"> {PLAN}", *others, PLAN]
    assert github.requests[-1] == f"PATCH /repos/{NAME}/issues/comments/{len(github.comments)}"


def test_same_plan_changes_nothing(
    github: GitHubServer, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    github.add_comment(PLAN)

    post(plan)

    assert [request.split()[0] for request in github.requests] == ["GET"]
    assert capsys.readouterr().out == "nothing has changed in https://example.com/comments/1\n"


def test_without_a_pull_request_only_the_summary_gets_it(
    github: GitHubServer, plan: Path, tmp_path: Path
) -> None:
    comment.main([str(plan)])

    assert github.requests == []
    assert (tmp_path / "summary.md").read_text() == f"{PLAN}\n"


def test_long_plan_is_cut_at_a_line_and_says_so(github: GitHubServer, plan: Path) -> None:
    lines = [f"| ~ | ingestion | asset {number} |" for number in range(5000)]
    plan.write_text("\n".join([PLAN, *lines]))

    post(plan)

    (posted,) = bodies(github)
    assert len(posted) <= comment.LONGEST
    mark, cut, *rest = posted.splitlines()
    assert (mark, cut) == ("<!-- dp plan -->", comment.CUT)
    assert rest[-1] in lines


def test_text_without_a_mark_is_refused(github: GitHubServer, plan: Path) -> None:
    plan.write_text("## What this change does")

    with pytest.raises(CommandError, match="must begin with a line such as <!-- dp plan -->"):
        post(plan)
    assert github.requests == []


def test_file_that_is_missing_is_named(github: GitHubServer, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"absent\.md cannot be read: No such file"):
        post(tmp_path / "absent.md")
    assert github.requests == []


def test_github_that_stumbles_is_asked_again(github: GitHubServer, plan: Path) -> None:
    github.add_comment(OTHER)
    github.broken = 1

    post(plan)

    assert bodies(github) == [PLAN]


def test_comment_is_never_posted_twice(github: GitHubServer) -> None:
    github.broken = 1

    with pytest.raises(CommandError, match="GitHub answered 502 to POST"):
        Repository.of_workflow().send("POST", "issues/7/comments", {"body": PLAN})
    assert len(github.requests) == 1


def test_refusal_is_told_without_the_token(github: GitHubServer, plan: Path) -> None:
    github.refuses = 403

    with pytest.raises(CommandError) as raised:
        post(plan)

    assert "GitHub answered 403 to GET" in str(raised.value)
    assert "Resource not accessible by integration" in str(raised.value)
    assert TOKEN not in f"{raised.value}{raised.value.__context__!r}{Repository.of_workflow()!r}"


def test_github_that_is_not_there_is_named(
    github: GitHubServer, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.ci.github.RETRIES", 0)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")

    with pytest.raises(CommandError, match=r"GitHub did not answer GET http://127\.0\.0\.1:1"):
        post(plan)


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN"])
def test_missing_variable_is_named(
    github: GitHubServer, plan: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)

    with pytest.raises(CommandError, match=f"{name} is not set"):
        post(plan)
    assert github.requests == []
