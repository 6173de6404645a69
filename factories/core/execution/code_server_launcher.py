"""The launcher of runs where each code server has a container of its own, as with Compose.

A run is a process of its code server, and ends with the server's container: when the code location
is rolled out, or for want of memory. Dagster's default launcher cannot tell. The run would count
as one that goes on, and keep its slots of pools, until `max_runtime_seconds`. The server that
stands in the other's place can tell: it knows the runs that are its own.
"""

from __future__ import annotations

import json

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

ANSWER_SECONDS = 10


class CodeServerRunLauncher(dg.DefaultRunLauncher):
    """Dagster's default launcher, which knows whether a run's code server still has the run."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Dagster's own says no."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Tell whether the code server that a run was launched in still has it.

        A server that does not answer may be on its way back, with or without the run: until it
        answers, the run counts as one that goes on.
        """
        if not (launched_in := run.tags.get(GRPC_INFO_TAG)):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        server = json.loads(launched_in)
        client = DagsterGrpcClient(
            host=server.get("host"),
            port=server.get("port"),
            socket=server.get("socket"),
            use_ssl=bool(server.get("use_ssl")),
        )
        request = CanCancelExecutionRequest(run_id=run.run_id)
        try:
            answer = client.can_cancel_execution(request, timeout=ANSWER_SECONDS)
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        said = "its code server was started again, and the run ended with the former one"
        return CheckRunHealthResult(WorkerStatus.FAILED, said)
