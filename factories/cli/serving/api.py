"""Dagster's GraphQL API, as far as `dp` uses it: the one that the UI uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

TIMEOUT_SECONDS = 60
FINAL = frozenset({"SUCCESS", "FAILURE", "CANCELED"})

ASSETS = """
query { assetNodes {
    assetKey { path } isMaterializable isPartitioned jobNames groupName opNames
    dependencyKeys { path } repository { name location { name } }
    assetChecksOrError { ... on AssetChecks { checks { name blocking } } }
} }
"""
PARTITION_KEYS = """
query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) {
    ... on AssetNode { partitionKeys }
} }
"""
LAUNCH = """
mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
} }
"""
RUN = """
query($id: ID!, $after: String) {
    runOrError(runId: $id) { ... on Run { status tags { key value } } }
    logsForRun(runId: $id, afterCursor: $after, limit: 1000) {
        ... on EventConnection { cursor hasMore events {
            __typename
            ... on MessageEvent { timestamp stepKey message }
            ... on MaterializationEvent { assetKey { path } metadataEntries {
                label
                ... on IntMetadataEntry { intValue }
                ... on FloatMetadataEntry { floatValue }
            } }
            ... on AssetMaterializationPlannedEvent { assetKey { path } }
            ... on AssetCheckEvaluationPlannedEvent { checked: assetKey { path } checkName }
            ... on AssetCheckEvaluationEvent { evaluation {
                assetKey { path } checkName success severity description
            } }
            ... on ExecutionStepFailureEvent {
                error { message causes { message } }
                failureMetadata { metadataEntries {
                    label ... on JsonMetadataEntry { jsonString }
                } }
            }
            ... on ExecutionStepUpForRetryEvent { error { message causes { message } } }
            ... on RunFailureEvent { error { message causes { message } } }
        } }
    }
}
"""
RUNS = """
query($tags: [ExecutionTag!]!) { runsOrError(filter: {tags: $tags}) {
    ... on Runs { results { runId status } }
} }
"""
INSTANCE = "{ instance { info } }"
RELOAD_LOCATION = """
mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }
"""
UNREACHABLE = "DagsterUserCodeUnreachableError"
RELOAD = "mutation { reloadWorkspace { __typename } }"
TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
LOCATIONS = """
query { workspaceOrError { ... on Workspace { locationEntries {
    name locationOrLoadError { __typename ... on PythonError { message className } }
} } } }
"""


class ApiError(Exception):
    """The webserver does not answer, or refuses."""


@dataclass(frozen=True)
class AssetNode:
    """One asset of the graph that can be materialized.

    Attributes:
        key: Such as `flight_ops/raw/flights`.
        location: Its code location.
        repository: Its repository in that location.
        job: The job that materializes it.
        group: Its group.
        op: The op that computes it; assets with one op share a step.
        ops: All ops that compute it: several, such as `graph.op`, when it is made by a graph.
        partitioned: Whether it has partitions.
        deps: The keys that it depends on.
        blocking_checks: The names of its checks that hold back what is downstream.
    """

    key: str
    location: str
    repository: str
    job: str
    group: str
    op: str
    partitioned: bool
    deps: tuple[str, ...]
    blocking_checks: frozenset[str] = frozenset()
    ops: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RunPage:
    """A run's status and tags, and its events since a cursor."""

    status: str
    tags: Mapping[str, str]
    events: Sequence[Mapping[str, Any]]
    cursor: str | None
    has_more: bool


class DagsterApi:
    """A Dagster webserver.

    Example:
        >>> DagsterApi("http://127.0.0.1:3000").assets()  # doctest: +SKIP
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        """Take the webserver's address; nothing is sent yet.

        Args:
            url: Without `/graphql`.
            headers: What each request is let in by, where the webserver is not of this machine.
        """
        self.url = url
        self._headers = dict(headers or {})

    def instance_folder(self) -> Path:
        """Return the folder of the instance that the webserver belongs to, its `DAGSTER_HOME`.

        Raises:
            ApiError: When no Dagster webserver answers.
        """
        try:
            info = yaml.safe_load(self._query(INSTANCE, {})["instance"]["info"])
            return Path(info["local_artifact_storage"]["config"]["base_dir"])
        except (AttributeError, LookupError, TypeError, yaml.YAMLError):
            raise ApiError(f"what answers at {self.url} is not Dagster") from None

    def reload(self) -> None:
        """Have every code location read its files again."""
        self._query(RELOAD, {})

    def load_errors(self) -> dict[str, str]:
        """Return the code locations that could not be loaded, with Dagster's message."""
        return {name: error["message"] for name, error in self._load_errors().items()}

    def unreachable_locations(self) -> list[str]:
        """Return the code locations whose server does not answer."""
        errors = self._load_errors().items()
        return [name for name, error in errors if error["className"] == UNREACHABLE]

    def reload_location(self, name: str) -> None:
        """Have one code location read its files again, in a new code server."""
        self._query(RELOAD_LOCATION, {"name": name})

    def _load_errors(self) -> dict[str, Mapping[str, Any]]:
        entries = self._query(LOCATIONS, {})["workspaceOrError"]["locationEntries"]
        return {
            entry["name"]: entry["locationOrLoadError"]
            for entry in entries
            if (entry["locationOrLoadError"] or {}).get("__typename") == "PythonError"
        }

    def assets(self) -> list[AssetNode]:
        """Return every asset that can be materialized, by key."""
        nodes = [n for n in self._query(ASSETS, {})["assetNodes"] if n["isMaterializable"]]
        found = [
            AssetNode(
                key="/".join(node["assetKey"]["path"]),
                location=node["repository"]["location"]["name"],
                repository=node["repository"]["name"],
                job=node["jobNames"][0],
                group=node["groupName"] or "",
                op=node["opNames"][0],
                ops=frozenset(node["opNames"]),
                partitioned=node["isPartitioned"],
                deps=tuple("/".join(dep["path"]) for dep in node["dependencyKeys"]),
                blocking_checks=frozenset(
                    check["name"]
                    for check in node["assetChecksOrError"].get("checks", ())
                    if check["blocking"]
                ),
            )
            for node in nodes
        ]
        return sorted(found, key=lambda node: node.key)

    def partition_keys(self, asset: AssetNode) -> list[str]:
        """Return the partitions of an asset, the oldest first."""
        key = {"path": asset.key.split("/")}
        node = self._query(PARTITION_KEYS, {"key": key})["assetNodeOrError"]
        return [str(key) for key in node["partitionKeys"]]

    def launch(self, assets: Sequence[AssetNode], tags: Mapping[str, str]) -> str:
        """Launch one run over assets of one code location; return its id.

        Raises:
            ApiError: When Dagster refuses; with its reason.
        """
        first = assets[0]
        params = {
            "mode": "default",
            "selector": {
                "repositoryLocationName": first.location,
                "repositoryName": first.repository,
                "pipelineName": first.job,
                "assetSelection": [{"path": asset.key.split("/")} for asset in assets],
            },
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
        }
        answer = self._query(LAUNCH, {"params": params})["launchPipelineExecution"]
        if answer["__typename"] != "LaunchRunSuccess":
            errors = [error["message"] for error in answer.get("errors", ())]
            reason = answer.get("message") or "; ".join(errors) or answer["__typename"]
            raise ApiError(f"Dagster does not launch the run: {reason}")
        return str(answer["run"]["runId"])

    def run(self, run_id: str, after: str | None) -> RunPage:
        """Return a run's status and its events since a cursor."""
        answer = self._query(RUN, {"id": run_id, "after": after})
        found, log = answer["runOrError"], answer["logsForRun"]
        tags = {tag["key"]: tag["value"] for tag in found["tags"]}
        return RunPage(str(found["status"]), tags, log["events"], log["cursor"], log["hasMore"])

    def unfinished_runs(self, tags: Mapping[str, str]) -> list[str]:
        """Return the runs with these tags that have not ended."""
        return [run_id for run_id, status in self._runs(tags) if status not in FINAL]

    def unsuccessful_runs(self, tags: Mapping[str, str]) -> list[str]:
        """Return the runs with these tags that have not succeeded, ended or not."""
        return [run_id for run_id, status in self._runs(tags) if status != "SUCCESS"]

    def _runs(self, tags: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the id and the status of each run with these tags."""
        answer = self._query(RUNS, {"tags": [{"key": k, "value": v} for k, v in tags.items()]})
        runs = answer["runsOrError"]["results"]
        return [(str(run["runId"]), str(run["status"])) for run in runs]

    def terminate(self, run_id: str) -> None:
        """Ask Dagster to stop a run."""
        self._query(TERMINATE, {"id": run_id})

    def _query(self, query: str, variables: Mapping[str, Any]) -> Any:
        try:
            answer = requests.post(
                f"{self.url}/graphql",
                json={"query": query, "variables": variables},
                headers=self._headers,
                timeout=TIMEOUT_SECONDS,
            )
            body = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ApiError(f"no Dagster webserver answers at {self.url}: {error}") from None
        if body.get("errors"):
            raise ApiError("; ".join(str(error["message"]) for error in body["errors"]))
        return body["data"]
