"""Who a workflow is, for the warehouse."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from deploy.ci.command import CommandError
from deploy.ci.warehouse import identity_token, uses_workload_identity
from factories.core.warehouse.settings import warehouse_settings
from tests.deploy.ci.github_api import TOKEN, GitHubServer

SCRIPT = Path(__file__).parents[3] / "deploy" / "ci" / "keep_private_key.sh"


def test_github_says_who_the_workflow_is(
    github: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{github.url}/token?api-version=2.0")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", TOKEN)

    assert identity_token("snowflakecomputing.com") == "signed for snowflakecomputing.com"


def test_job_without_the_permission_is_told_so(
    github: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL", raising=False)

    with pytest.raises(CommandError, match=r"needs `permissions: \{id-token: write\}`"):
        identity_token("snowflakecomputing.com")


def test_refusal_does_not_show_the_token(
    github: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{github.url}/token")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", TOKEN)
    github.refuses = 403

    with pytest.raises(CommandError, match="GitHub gave no token for") as raised:
        identity_token("snowflakecomputing.com")
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SNOWFLAKE_PRIVATE_KEY_PATH": "/keys/k.p8"}, False),
        ({"SNOWFLAKE_AUTHENTICATOR": "workload_identity"}, True),
    ],
)
def test_authenticator_decides(variables: dict[str, str], expected: bool) -> None:
    account = {"DP_TARGET": "pr_1", "SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_USER": "u"}

    assert uses_workload_identity(warehouse_settings({**account, **variables})) is expected


def keep_private_key(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path)}
    environment["GITHUB_ENV"] = str(tmp_path / "env")
    return subprocess.run(
        ["bash", str(SCRIPT)],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_private_key_becomes_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    done = keep_private_key(tmp_path, SNOWFLAKE_PRIVATE_KEY="-----BEGIN\nKEY%s\\n-----END")

    file = tmp_path / "snowflake.p8"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert file.read_text() == "-----BEGIN\nKEY%s\\n-----END\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "env").read_text() == f"SNOWFLAKE_PRIVATE_KEY_PATH={file}\n"


def test_key_of_an_earlier_step_is_not_that_of_a_later_one(tmp_path: Path) -> None:
    keep_private_key(tmp_path, SNOWFLAKE_PRIVATE_KEY="KEY")

    done = keep_private_key(tmp_path, SNOWFLAKE_PRIVATE_KEY="")

    assert done.returncode == 0
    assert (tmp_path / "env").read_text().splitlines()[-1] == "SNOWFLAKE_PRIVATE_KEY_PATH="
