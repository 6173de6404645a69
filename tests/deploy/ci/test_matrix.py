"""Which locations a workflow deploys; what touches them is tested with `dp changed`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.ci import matrix
from deploy.ci.command import CommandError
from tests.deploy.ci.github_api import GitHubServer

ROOT = Path(__file__).parents[3]
ALL = ["ingestion", "transformation", "ml"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the workspace, whose locations have no environments."""
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(ROOT / "workspace.yaml", root)
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "First"]):
        _git(root, *arguments)
    monkeypatch.setenv("DP_PROJECT_DIR", str(root))
    return root


def _git(root: Path, *arguments: str) -> str:
    names = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
    command = ["git", *names, *arguments]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def outputs(tmp_path: Path) -> dict[str, str]:
    lines = (tmp_path / "output").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def names(tmp_path: Path) -> list[str]:
    return [one["location"] for one in json.loads(outputs(tmp_path)["matrix"])["include"]]


def test_all_locations_are_a_matrix(github: GitHubServer, project: Path, tmp_path: Path) -> None:
    github.runs = [{"head_sha": "c0ffee"}]

    matrix.main(["--since-success-of", "main.yml", "--all"])

    first = {"location": "ingestion", "module": "code_locations.ingestion.definitions"}
    assert json.loads(outputs(tmp_path)["matrix"])["include"][0] == first
    assert names(tmp_path) == ALL
    assert outputs(tmp_path)["any"] == "true"
    assert outputs(tmp_path)["base"] == "c0ffee"
    assert "- **ml**: all were asked for" in (tmp_path / "summary.md").read_text()


def test_first_deployment_is_of_all(github: GitHubServer, project: Path, tmp_path: Path) -> None:
    matrix.main(["--since-success-of", "main.yml"])

    assert names(tmp_path) == ALL
    assert outputs(tmp_path)["base"] == ""
    assert "nothing has been deployed yet" in (tmp_path / "summary.md").read_text()


def test_deployed_commit_that_is_gone_from_the_history_counts_as_none(
    github: GitHubServer, project: Path, tmp_path: Path
) -> None:
    github.runs = [{"head_sha": "c0ffee" * 6 + "c0ff"}]

    matrix.main(["--since-success-of", "main.yml"])

    assert names(tmp_path) == ALL
    assert "is not in this branch's history" in (tmp_path / "summary.md").read_text()


def test_change_since_the_last_deployment_counts(
    github: GitHubServer, project: Path, tmp_path: Path
) -> None:
    """Locations that cannot be loaded are touched, with the reason."""
    github.runs = [{"head_sha": _git(project, "rev-parse", "HEAD")}, {"head_sha": "older"}]

    matrix.main(["--since-success-of", "main.yml"])

    assert names(tmp_path) == ALL
    summary = (tmp_path / "summary.md").read_text()
    assert "**ml**: it cannot be loaded: its environment is missing" in summary


def test_nothing_touched_is_an_empty_matrix(
    github: GitHubServer, project: Path, tmp_path: Path
) -> None:
    (project / "workspace.yaml").write_text("load_from: []\n")

    matrix.main(["--base", "HEAD"])

    assert outputs(tmp_path) == {
        "base": "HEAD",
        "matrix": '{"include": []}',
        "any": "false",
    }
    assert "none is touched" in (tmp_path / "summary.md").read_text()


def test_unknown_base_is_told(github: GitHubServer, project: Path) -> None:
    with pytest.raises(CommandError, match="absent"):
        matrix.main(["--base", "absent"])


def test_workspace_that_cannot_be_read_is_told(github: GitHubServer, project: Path) -> None:
    (project / "workspace.yaml").write_text("load_from: [python_module: {}]\n")

    with pytest.raises(CommandError, match=r"workspace\.yaml:1"):
        matrix.main(["--base", "HEAD"])
