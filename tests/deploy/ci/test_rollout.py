"""Rolling out one location: the calls of the programs that do it, which no test has."""

from __future__ import annotations

import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from deploy.ci.command import CommandError
from deploy.ci.rollout.__main__ import check_location, main
from deploy.ci.rollout.compose import read_variable, set_variables
from deploy.ci.rollout.dagster_plus import check_target
from tests.deploy.ci.programs import RecordingProgram, put_program

pytestmark = pytest.mark.programs

ROOT = Path(__file__).parents[3]
IMAGE = "registry.example.com/acme/platform-ml:c0ffee"
# As `dagster-cloud ci template` prints it for a target.
DAGSTER_CLOUD = """
locations:
- location_name: ingestion
- location_name: ml
  code_source: {module_name: code_locations.ml.definitions}
  container_context:
    k8s:
      env_vars: [DP_TARGET=%s, DP_TARGETS=more]
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, before those of the machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for name in ("DP_TARGET", "GITHUB_SHA", "KUBECONFIG", "KUBE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return folder


def set_all(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


class ComposeProject:
    """The folder of a Compose project on a machine, and the `docker` there."""

    def __init__(self, folder: Path, path: Path, statuses: list[int], image: str) -> None:
        self.folder = folder
        folder.mkdir()
        checkout = folder.parent / "checkout"
        (checkout / "deploy").mkdir(parents=True)
        (checkout / "deploy" / "compose.yaml").write_text("services: {ml: {}}\n")
        shutil.copy(ROOT / "workspace.yaml", checkout)
        self.variables = folder / ".env"
        self.variables.write_text("# images\nML_IMAGE=ml:before\nPASSWORD=canary")
        (folder / "compose.yaml").write_text("services: {}\n")
        compose = f"compose --project-directory {folder} --file {folder}/compose.yaml"
        config = json.dumps({"services": {"ml": {"image": image}}})
        answers: dict[str, Any] = {
            f"{compose} config": (config, 0),
            f"{compose} up": ("", statuses),
        }
        self.docker = put_program(path, "docker", answers)

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the rollout of a commit work on it."""
        checkout = self.folder.parent / "checkout"
        variables = {"DEPLOY_TO": "compose", "COMPOSE_FOLDER": str(self.folder)}
        set_all(monkeypatch, **variables, DP_PROJECT_DIR=str(checkout))

    @property
    def commands(self) -> list[str]:
        file = f"--project-directory {self.folder} --file {self.folder}/compose.yaml"
        return [command.replace(f"{file} ", "") for command in self.docker.commands]


UP = "compose up --detach --no-build --no-deps --wait --wait-timeout 300 ml"


@pytest.fixture
def compose(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> ComposeProject:
    project = ComposeProject(tmp_path / "deploy", path, [0], IMAGE)
    project.use(monkeypatch)
    return project


def test_compose_replaces_one_container(
    compose: ComposeProject, capfd: pytest.CaptureFixture[str]
) -> None:
    main(["ml", "--image", IMAGE])

    assert compose.commands == [
        f"pull {IMAGE}",
        "compose config --format json",
        UP,
    ]
    assert compose.variables.read_text() == f"# images\nML_IMAGE={IMAGE}\nPASSWORD=canary\n"
    printed = capfd.readouterr().out
    assert "compose.yaml differs from the commit's" in printed
    assert printed.splitlines()[-1] == f"ml runs {IMAGE}"
    assert "canary" not in printed


def test_compose_goes_back_when_the_new_container_is_not_healthy(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    project = ComposeProject(tmp_path / "deploy", path, [1], IMAGE)
    project.use(monkeypatch)
    before = project.variables.read_text()

    with pytest.raises(CommandError, match="docker ended with 1"):
        main(["ml", "--image", IMAGE])

    assert project.commands[-2:] == [UP, UP]
    assert project.variables.read_text() == before
    assert "ml goes back to ml:before" in capfd.readouterr().out


def test_compose_that_takes_the_image_from_elsewhere_is_refused(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ComposeProject(tmp_path / "deploy", path, [0], "data-platform-ml:latest")
    project.use(monkeypatch)

    with pytest.raises(CommandError, match="is data-platform-ml:latest, and not what its"):
        main(["ml", "--image", IMAGE])
    assert "ML_IMAGE=ml:before" in project.variables.read_text()
    assert UP not in project.commands


def test_compose_folder_without_its_variables_is_named(compose: ComposeProject) -> None:
    compose.variables.unlink()

    with pytest.raises(CommandError, match=r"deploy/\.env cannot be read: No such file"):
        main(["ml", "--image", IMAGE])
    assert compose.commands == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "A=1\n"), ("B=2\n#A=0\n", "B=2\n#A=0\nA=1\n"), (" A = 0\nAA=3\n", "A=1\nAA=3\n")],
)
def test_variable_is_set_in_its_place(text: str, expected: str) -> None:
    assert set_variables(text, {"A": "1"}) == expected
    assert read_variable(expected, "A") == "1"
    assert read_variable("AB=1\nA=\n", "A") is None


@pytest.fixture
def helm(path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordingProgram:
    set_all(
        monkeypatch,
        DEPLOY_TO="kubernetes",
        HELM_REPOSITORY="https://charts.example.com",
        KUBE_NAMESPACE="dagster",
        KUBE_CONFIG="apiVersion: v1\nusers: [canary]\n",
    )
    return put_program(path, "helm", {})


def test_kubernetes_upgrades_one_release(
    helm: RecordingProgram, capfd: pytest.CaptureFixture[str]
) -> None:
    main(["ml", "--image", IMAGE])

    (call,) = helm.calls
    assert " ".join(call["arguments"]) == (
        "upgrade --install dagster-ml dagster-user-deployments --repo https://charts.example.com"
        f" --version {version('dagster')} --namespace dagster --values deploy/helm/ml.yaml"
        " --set-string deployments[0].image.repository=registry.example.com/acme/platform-ml,"
        "deployments[0].image.tag=c0ffee --atomic --timeout 10m"
    )
    assert call["files"]["config"] == {"text": os.environ["KUBE_CONFIG"], "mode": 0o600}
    assert not Path(call["environment"]["KUBECONFIG"]).exists()
    assert "canary" not in capfd.readouterr().out


def test_kubernetes_takes_the_runners_own_access(
    helm: RecordingProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBE_CONFIG")

    main(["ml", "--image", IMAGE])

    assert "KUBECONFIG" not in helm.calls[0]["environment"]


@pytest.fixture
def dagster_cloud(path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordingProgram:
    set_all(
        monkeypatch,
        DEPLOY_TO="dagster-plus",
        DAGSTER_CLOUD_ORGANIZATION="acme",
        DAGSTER_CLOUD_API_TOKEN="canary",
        DP_TARGET="prod",
        GITHUB_SHA="c0ffee",
    )
    template = "ci template --dagster-cloud-yaml-path dagster_cloud.yaml --value target="
    answers = {f"{template}{name} ": (DAGSTER_CLOUD % name, 0) for name in ("prod", "pr_12")}
    return put_program(
        path, "dagster-cloud", {**answers, "ci branch-deployment": ("Creating…\n3a7f\n", 0)}
    )


@pytest.mark.parametrize(("name", "deployment"), [("prod", "prod"), ("pr_12", "3a7f")])
def test_dagster_plus_gets_one_location_with_its_target(
    dagster_cloud: RecordingProgram,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    deployment: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DP_TARGET", name)

    main(["ml", "--image", IMAGE])

    last = dagster_cloud.calls[-1]
    command = " ".join(last["arguments"])
    assert command.startswith("deployment add-location ml --location-file ")
    assert command.endswith(f"--image {IMAGE} --deployment {deployment} --commit-hash c0ffee")
    assert last["files"]["dagster_cloud.yaml"]["text"] == DAGSTER_CLOUD % name
    registry = "--value registry=registry.example.com/acme/platform-ml"
    assert any(one.endswith(registry) for one in dagster_cloud.commands)
    made = any("branch-deployment" in one for one in dagster_cloud.commands)
    assert made == (name != "prod")
    assert "canary" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DAGSTER_CLOUD % "prod", "'ml' must be pr_12, but is prod: its container_context needs"),
        ("locations: [{location_name: ml}]", "'ml' must be pr_12, but is none"),
        ("locations: [{location_name: other}]", "has no location 'ml'"),
    ],
)
def test_pull_request_is_never_deployed_to_work_on_production(text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        check_target(text, "ml", "pr_12")


def test_closed_pull_request_loses_its_branch_deployment(dagster_cloud: RecordingProgram) -> None:
    main(["--close"])

    assert dagster_cloud.commands == [
        "ci branch-deployment . --mark-closed",
        "branch-deployment delete --deployment 3a7f",
    ]


def test_a_workspace_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").write_text("load_from: [python_module: {}]\n")

    with pytest.raises(CommandError, match=r"workspace\.yaml:1"):
        check_location(tmp_path, "ml")


@pytest.mark.parametrize(
    ("variables", "arguments", "message"),
    [
        ({}, ["ml", "--image", IMAGE], "DEPLOY_TO is not set: one of compose, dagster-plus"),
        ({"DEPLOY_TO": "heroku"}, ["ml", "--image", IMAGE], "DEPLOY_TO is 'heroku', but must be"),
        ({"DEPLOY_TO": "compose"}, ["mll", "--image", IMAGE], "did you mean 'ml'"),
        ({"DEPLOY_TO": "compose"}, ["ml", "--image", "host:5000/ml"], "has no tag"),
        ({"DEPLOY_TO": "compose"}, ["ml", "--image", IMAGE], "COMPOSE_FOLDER is not set"),
        ({"DEPLOY_TO": "kubernetes"}, ["ml", "--image", IMAGE], "HELM_REPOSITORY is not set"),
        ({"DEPLOY_TO": "dagster-plus"}, ["ml", "--image", IMAGE], "DAGSTER_CLOUD_ORGANIZATION is"),
        ({"DEPLOY_TO": "compose"}, ["--close"], "only Dagster+ has branch deployments"),
    ],
)
def test_what_is_missing_or_wrong_is_told_before_anything_is_done(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    arguments: list[str],
    message: str,
) -> None:
    settings = ("DEPLOY_TO", "COMPOSE_FOLDER", "HELM_REPOSITORY", "DAGSTER_CLOUD_ORGANIZATION")
    for name in settings:
        monkeypatch.delenv(name, raising=False)
    set_all(monkeypatch, **variables)
    programs = [put_program(path, name, {}) for name in ("docker", "helm", "dagster-cloud")]

    with pytest.raises(CommandError) as raised:
        main(arguments)

    assert message in str(raised.value)
    assert [program.commands for program in programs] == [[], [], []]


def test_program_that_is_not_installed_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_all(monkeypatch, DEPLOY_TO="kubernetes", HELM_REPOSITORY="x", KUBE_NAMESPACE="x")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CommandError, match="helm is not installed here"):
        main(["ml", "--image", IMAGE])
