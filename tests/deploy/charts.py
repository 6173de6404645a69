"""What Dagster's charts make of the values in deploy/helm/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes.client
import yaml
from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict

FOLDER = Path(__file__).parents[2] / "deploy" / "helm"
SCHEMA = Path(__file__).with_name("chart_values.yaml")
NAMESPACE = "data-platform"
RELEASE = "dagster"  # of the chart `dagster`: part of the names that it makes


def read_values(name: str) -> dict[str, Any]:
    """Return the values that a file of deploy/helm/ sets."""
    values: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return values


def value_problems(chart: str, values: Mapping[str, Any]) -> list[str]:
    """Return what a chart would not understand of values."""
    problems = _validator(chart).iter_errors(values)
    return [f"{problem.json_path}: {problem.message}" for problem in problems]


@cache
def _validator(chart: str) -> jsonschema.Validator:
    schema = {**yaml.safe_load(SCHEMA.read_text()), "$ref": f"#/$defs/{chart}"}
    base = jsonschema.Draft202012Validator
    keywords = {"kubernetes": _model_problems, "partOfKubernetes": _part_problems}
    return jsonschema.validators.extend(base, keywords)(schema)


def _model_problems(
    _: object, model: str, value: Any, __: object
) -> Iterator[jsonschema.ValidationError]:
    """Yield why a value is not one of a model of Kubernetes' API."""
    of = getattr(kubernetes.client, model)
    try:
        k8s_model_from_dict(of, k8s_snake_case_dict(of, value))
    except Exception as error:  # noqa: BLE001 - dagster-k8s raises plain ones
        yield jsonschema.ValidationError(f"{error!r}")


def _part_problems(
    _: object, model: str, value: Any, __: object
) -> Iterator[jsonschema.ValidationError]:
    """Yield why a value is no part of a model of Kubernetes' API."""
    try:
        k8s_snake_case_dict(getattr(kubernetes.client, model), value)
    except Exception as error:  # noqa: BLE001 - dagster-k8s raises plain ones
        yield jsonschema.ValidationError(f"{error!r}")


def instance_config(values: Mapping[str, Any], kubeconfig: Path) -> dict[str, Any]:
    """Return the `dagster.yaml` that the chart `dagster` writes, but for its storage.

    Args:
        values: Those of deploy/helm/dagster.yaml.
        kubeconfig: How to reach the cluster; in a cluster this is not needed.
    """
    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    run = launcher["runK8sConfig"]
    coordinator = values["dagsterDaemon"]["runCoordinator"]["config"]["customRunCoordinator"]
    return {
        "run_launcher": {
            "module": "dagster_k8s",
            "class": "K8sRunLauncher",
            "config": {
                "load_incluster_config": False,
                "kubeconfig_file": str(kubeconfig),
                "job_namespace": NAMESPACE,
                "image_pull_policy": launcher["imagePullPolicy"],
                "service_account_name": RELEASE,
                "dagster_home": "/opt/dagster/dagster_home",
                "instance_config_map": f"{RELEASE}-instance",
                "postgres_password_secret": values["global"]["postgresqlSecretName"],
                "fail_pod_on_run_failure": launcher["failPodOnRunFailure"],
                "security_context": launcher["securityContext"],
                "run_k8s_config": {
                    "pod_spec_config": run["podSpecConfig"],
                    "pod_template_spec_metadata": run["podTemplateSpecMetadata"],
                    "job_spec_config": run["jobSpecConfig"],
                },
            },
        },
        "run_coordinator": dict(coordinator),
        "compute_logs": {
            "module": "dagster.core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        },
        "schedules": {"use_threads": True, "num_workers": 4},  # as the chart has it
        "sensors": {"use_threads": True, "num_workers": 4},
        "telemetry": {"enabled": values["telemetry"]["enabled"]},
        **values["additionalInstanceConfig"],
    }


def container_context(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the pods of a code location's runs get of its code server.

    Args:
        values: Those of a code location's file.
    """
    (deployment,) = values["deployments"]
    return {
        "k8s": {
            "image_pull_policy": deployment["image"]["pullPolicy"],
            "env_secrets": [secret["name"] for secret in deployment["envSecrets"]],
            "volume_mounts": deployment["volumeMounts"],
            "volumes": deployment["volumes"],
            "resources": deployment["resources"],
            "namespace": NAMESPACE,
            "service_account_name": values["serviceAccount"]["name"],
            "env": deployment["env"],
            "run_k8s_config": {"pod_spec_config": {"automount_service_account_token": True}},
        }
    }
