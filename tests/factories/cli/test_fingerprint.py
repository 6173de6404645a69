"""Which differences between a running Dagster and a command count."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from factories.cli.serving.fingerprint import Fingerprint, describe_difference, take_fingerprint
from factories.core.env_file import load_env_file

SHELL = {"PATH": "/usr/bin", "HOME": "/home/ana", "SHOP_URL": "postgres://ana:s3cret@shop/db"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "workspace.yaml").write_text("load_from: []\n")
    return tmp_path


def take(root: Path, **changes: str) -> Fingerprint:
    return take_fingerprint(root, root, {**SHELL, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"DP_AUTOMATION": "off"},
        {"DP_ALERTS": "off"},
        {"DP_TARGET": "local"},  # as without it
        {
            "TERM": "dumb",
            "COLUMNS": "80",
            "SSH_TTY": "/dev/pts/1",
            "MAKELEVEL": "1",
            "_": "/bin/dp",
        },
        {"VIRTUAL_ENV": "/venv", "PATH": "/venv/bin:/usr/bin"},
        {"DP_IGNORED_VARIABLES": "SHOP_URL, MOOD", "SHOP_URL": "x", "MOOD": "good"},
    ],
)
def test_what_says_nothing_to_a_step_does_not_count(root: Path, changes: dict[str, str]) -> None:
    plain = take(root, DP_IGNORED_VARIABLES=changes.get("DP_IGNORED_VARIABLES", ""))

    assert describe_difference(plain, take(root, **changes)) is None


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"DP_TARGET": "dev"}, "works on the target local, and this command on dev"),
        ({"SHOP_URL": "postgres://shop"}, "was started with other values of SHOP_URL"),
        ({"PATH": "/opt/bin"}, "was started with other values of PATH"),
        ({"SNOWFLAKE_ROLE": "r", "A": "a"}, "was started with other values of A, SNOWFLAKE_ROLE"),
        (
            {"DP_TARGET": "prod", "SNOWFLAKE_ROLE": "r"},
            "works on the target local, and this command on prod; it {WITH} SNOWFLAKE_ROLE",
        ),
    ],
)
def test_target_and_environment_are_told_by_their_names(
    root: Path, changes: dict[str, str], difference: str
) -> None:
    said = difference.replace("{WITH}", "was started with other values of")
    assert describe_difference(take(root), take(root, **changes)) == said


def test_files_that_are_read_once_count(root: Path) -> None:
    before = take(root)
    (root / "workspace.yaml").write_text("load_from: [python_file: x.py]\n")
    (root / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    assert describe_difference(before, take(root)) == (
        "was started with another state of dagster.yaml, workspace.yaml"
    )


def test_what_an_env_file_adds_counts_as_the_environment_does(root: Path) -> None:
    def take_with(text: str) -> Fingerprint:
        (root / ".env").write_text(text)
        environment = {**SHELL}
        load_env_file(root, environment)
        return take_fingerprint(root, root, environment)

    first = take_with("ROLE=LOADER\n")

    assert describe_difference(first, take(root, ROLE="LOADER")) is None
    assert describe_difference(first, take_with("ROLE=OTHER\n")) == (
        "was started with other values of ROLE"
    )


def test_another_project_is_named(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "workspace.yaml").write_text("load_from: []\n")

    assert describe_difference(take(root), take_fingerprint(other, root, SHELL)) == (
        f"serves the project {root}, and this command is for {other}"
    )


def test_values_are_not_in_it_and_cannot_be_guessed_without_the_key(root: Path) -> None:
    first = take(root)

    assert "s3cret" not in json.dumps(asdict(first))
    assert take(root) == first
    assert (root / "fingerprint.key").stat().st_mode & 0o077 == 0
    (root / "fingerprint.key").unlink()
    assert set(take(root).environment.values()).isdisjoint(first.environment.values())
