"""A GitHub to talk to, and the environment of a workflow's step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.ci.github_api import NAME, TOKEN, GitHubServer, serve_github


@pytest.fixture(scope="module")
def github_server() -> Iterator[GitHubServer]:
    with serve_github() as github:
        yield github


@pytest.fixture
def github(
    github_server: GitHubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> GitHubServer:
    """A GitHub that holds nothing yet; this process is a step of one of its workflows."""
    github_server.forget()
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "SNOWFLAKE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GITHUB_API_URL", github_server.url)
    monkeypatch.setenv("GITHUB_REPOSITORY", NAME)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    return github_server
