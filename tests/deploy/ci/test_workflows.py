"""What the workflows promise; actionlint and zizmor hold the rest, in `make lint`."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.ci.programs import put_program

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
COMMAND = re.compile(r"python -m (deploy(?:\.\w+)+)")
TARGET = re.compile(r"^([\w-]+):", re.MULTILINE)
each_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
each_file = pytest.mark.parametrize(
    "file", [*WORKFLOWS, *ACTIONS], ids=lambda file: f"{file.parent.name}-{file.stem}"
)


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text())
    return found


def scripts(node: Any) -> Iterator[str]:
    """Yield what `run` gives a shell, wherever it stands."""
    if isinstance(node, dict):
        if isinstance(node.get("run"), str):
            yield node["run"]
        node = list(node.values())
    for one in node if isinstance(node, list) else ():
        yield from scripts(one)


def test_there_is_a_workflow_for_each_event() -> None:
    names = {file.stem: read(file)[True] for file in WORKFLOWS}  # YAML 1.1 reads `on` as true

    assert names.keys() == {
        "deploy-location",
        "main",
        "nightly",
        "pull-request",
        "pull-request-closed",
    }
    assert names["pull-request-closed"]["pull_request"]["types"] == ["closed"]
    # It would run with secrets what a fork's pull request has written.
    assert not any("pull_request_target" in events for events in names.values())


@each_file
def test_actions_of_others_are_pinned_by_commit(file: Path) -> None:
    used = re.findall(r"\buses: (.+)", file.read_text())
    ours = [one for one in used if one.startswith("./")]

    assert [one for one in used if one not in ours and not PINNED.fullmatch(one)] == []
    for one in ours:
        assert (ROOT / one).is_file() or (ROOT / one / "action.yml").is_file(), one


def test_one_action_has_one_version() -> None:
    text = "\n".join(file.read_text() for file in [*WORKFLOWS, *ACTIONS])
    pins = set(re.findall(r"uses: ([\w./-]+)@(\w{40} # .+)", text))

    assert len({name for name, _ in pins}) == len(pins)


@each_workflow
def test_jobs_may_read_the_repository_and_no_more_unless_they_say_so(file: Path) -> None:
    workflow = read(file)

    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        given = job.get("permissions", {})
        assert given.get("contents", "read") == "read", name
        assert "timeout-minutes" in job or "uses" in job, name


@each_workflow
def test_runs_of_one_ref_do_not_cross(file: Path) -> None:
    assert re.search(r"\$\{\{ (github|inputs)\.", read(file)["concurrency"]["group"])


def test_closing_a_pull_request_ends_what_it_runs() -> None:
    opened, closed = (
        read(ROOT / ".github" / "workflows" / f"{name}.yml")["concurrency"]
        for name in ("pull-request", "pull-request-closed")
    )
    assert opened == closed
    assert closed["cancel-in-progress"] is True


@each_file
def test_no_value_of_a_workflow_becomes_part_of_a_command(file: Path) -> None:
    """Secrets would be seen among the processes, and a branch's name could be a command."""
    assert [text for text in scripts(read(file)) if "${{" in text] == []


@each_file
def test_commands_are_there(file: Path) -> None:
    targets = TARGET.findall((ROOT / "Makefile").read_text())
    for text in scripts(read(file)):
        for module in COMMAND.findall(text):
            assert find_spec(module), module
        for script in re.findall(r"^deploy/\S+", text, re.MULTILINE):
            assert (ROOT / script).stat().st_mode & 0o100, script
        for words in re.findall(r"^make (.+)", text, re.MULTILINE):
            named = [word for word in words.split() if word.isalpha() and word.islower()]
            assert set(named) <= set(targets), words


@each_workflow
def test_secrets_reach_single_steps_only(file: Path) -> None:
    workflow = read(file)
    wide = [workflow.get("env", {}), *(job.get("env", {}) for job in workflow["jobs"].values())]

    assert "secrets." not in str(wide)


@pytest.mark.programs
def test_laptop_runs_what_a_pull_request_does_and_names_what_it_skips(tmp_path: Path) -> None:
    """The jobs with secrets, and the comment."""
    folder = tmp_path / ".venvs" / "host" / "bin"
    folder.mkdir(parents=True)
    dp = put_program(folder, "dp", {"plan": ("<!-- dp plan -->\n", 0)})

    script = [str(ROOT / "deploy" / "ci" / "without_accounts.sh"), "origin/main"]
    done = subprocess.run(
        script, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True
    )

    assert dp.commands == [
        "changed --base origin/main",
        "plan --base origin/main --markdown",
    ]
    jobs = read(ROOT / ".github" / "workflows" / "pull-request.yml")["jobs"]
    with_secrets = [name for name, job in jobs.items() if "secrets." in str(job)]
    skipped = re.findall(r"^skipped, ([\w-]+): .+", done.stdout, re.MULTILINE)
    assert skipped == ["comment", *with_secrets]


@pytest.mark.programs
def test_nightly_lifts_the_pins_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    script = [str(ROOT / "deploy" / "ci" / "lift_pins.sh")]
    subprocess.run(script, cwd=tmp_path, check=True, timeout=30)

    before, after = (
        tomllib.loads((folder / "pyproject.toml").read_text()) for folder in (ROOT, tmp_path)
    )
    lifted = dependencies(after)
    assert [one for one in lifted if "==" in one.partition(";")[0]] == []
    assert lifted == [
        ";".join([one.partition(";")[0].replace("==", ">="), *one.split(";")[1:]])
        for one in dependencies(before)
    ]
    assert after["tool"] == before["tool"]


def dependencies(project: dict[str, Any]) -> list[str]:
    extras = project["project"]["optional-dependencies"].values()
    return [*project["project"]["dependencies"], *(one for extra in extras for one in extra)]
