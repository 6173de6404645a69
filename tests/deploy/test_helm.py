"""The values for Dagster's charts: what they say, and what comes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_k8s import K8sRunLauncher
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import construct_dagster_k8s_job

from factories.core.execution.instance import PlatformInstance
from factories.core.execution.run_coordinator import TellingRunCoordinator
from tests.deploy.charts import (
    FOLDER,
    container_context,
    instance_config,
    read_values,
    value_problems,
)

ROOT = Path(__file__).parents[2]
LOCATIONS = ("ingestion", "transformation", "ml")
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "none",
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:9"}}],
    "users": [{"name": "none", "user": {}}],
}


def deployment(location: str) -> dict[str, Any]:
    """What a code location's file says of its code server."""
    (found,) = read_values(location)["deployments"]
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> dg.DagsterInstance:
    """The instance that the chart's configuration makes, with a storage of its own."""
    folder = tmp_path_factory.mktemp("instance")
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(KUBECONFIG))
    config = instance_config(read_values("dagster"), kubeconfig)
    (folder / "dagster.yaml").write_text(yaml.safe_dump(config))
    return dg.DagsterInstance.from_config(str(folder))


def test_charts_know_every_value() -> None:
    assert value_problems("dagster", read_values("dagster")) == []
    for location in LOCATIONS:
        assert value_problems("dagster-user-deployments", read_values(location)) == []


def test_wrong_value_is_found() -> None:
    values = read_values("ml")
    (of,) = values["deployments"]
    of["resource"] = of.pop("resources")
    of["securityContext"]["runAsNonroot"] = True
    host = read_values("dagster")
    launcher = host["runLauncher"]["config"]["k8sRunLauncher"]
    launcher["runK8sConfig"]["podSpecConfig"] = {"securityContext": {"runsAsUser": 10001}}

    problems = value_problems("dagster-user-deployments", values)
    problems += value_problems("dagster", host)

    assert len(problems) == 3
    assert any("'resource' was unexpected" in problem for problem in problems)
    assert any("runAsNonroot" in problem for problem in problems)
    assert any("runsAsUser" in problem for problem in problems)


def test_every_code_location_has_a_release_that_the_webserver_knows() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    entries = [entry["python_module"] for entry in workspace]
    modules = {entry["location_name"]: entry["module_name"] for entry in entries}
    servers = read_values("dagster")["dagsterWebserver"]["workspace"]["servers"]

    assert {path.stem for path in FOLDER.glob("*.yaml")} == {"dagster", *modules}
    assert [server["name"] for server in servers] == list(modules)
    for server in servers:
        of = deployment(server["name"])
        assert (of["name"], of["port"]) == (server["host"], server["port"])
        arguments = dict(word.removeprefix("--").split("=") for word in of["dagsterApiGrpcArgs"])
        assert arguments == {
            "module-name": modules[server["name"]],
            "attribute": "defs",
            "working-directory": "/app",
            "location-name": server["name"],
        }


def test_releases_share_the_secret_of_the_storage() -> None:
    secret = read_values("dagster")["global"]["postgresqlSecretName"]

    assert {read_values(location)["postgresqlSecretName"] for location in LOCATIONS} == {secret}


def test_instance_has_the_platforms_classes(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance, PlatformInstance)
    assert isinstance(instance.run_coordinator, TellingRunCoordinator)
    assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
    assert isinstance(instance.run_launcher, K8sRunLauncher)
    assert instance.run_launcher.supports_check_run_worker_health
    queue = instance.get_concurrency_config().run_queue_config
    assert queue
    assert queue.max_concurrent_runs == 24
    assert instance.run_monitoring_max_runtime_seconds == 14400
    assert instance.get_concurrency_config().pool_config.default_pool_limit == 1


@pytest.mark.parametrize("location", LOCATIONS)
def test_run_has_the_secrets_of_its_code_location_alone(
    instance: dg.DagsterInstance, location: str
) -> None:
    launcher = instance.run_launcher
    assert isinstance(launcher, K8sRunLauncher)
    own = K8sContainerContext.create_from_config(container_context(read_values(location)))
    context = K8sContainerContext.create_for_run(
        dg.DagsterRun("job"), launcher, include_run_tags=False
    ).merge(own)
    job = construct_dagster_k8s_job(
        context.get_k8s_job_config(f"data-platform-{location}:1", launcher),
        args=["dagster", "api", "execute_run"],
        job_name="run",
        pod_name="run",
        component="run_worker",
        user_defined_k8s_config=context.run_k8s_config,
    ).to_dict()

    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    secrets = {each["secret_ref"]["name"] for each in container["env_from"] if each["secret_ref"]}
    assert secrets == {"platform", location}
    keys = {volume["secret"]["secret_name"] for volume in pod["volumes"] if volume["secret"]}
    assert keys == {f"snowflake-{location}"}
    assert container["resources"] == deployment(location)["resources"] | {"claims": None}
    assert pod["security_context"]["run_as_user"] == 10001
    assert container["security_context"]["capabilities"]["drop"] == ["ALL"]
    assert pod["service_account_name"] == location
    assert job["spec"]["ttl_seconds_after_finished"] == 86400
