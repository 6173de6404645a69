"""The sensor in a real code server, evaluated as the daemon does, and a run in its own process."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import dagster as dg
import pytest

# How Dagster's own tests evaluate sensors; not public in 1.13.
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.load_target import PythonFileTarget
from dagster._daemon.sensor import execute_sensor_iteration

from tests.factories.alerts.channels import Webhook

LOCATION = """
import dagster as dg
from factories import build_definitions

@dg.asset(owners=["team:sales"])
def orders() -> None:
    raise LookupError("no such table: shop.orders")

load = dg.define_asset_job("load", [orders])

@dg.sensor(job=load, default_status=dg.DefaultSensorStatus.RUNNING)
def start(context):
    return dg.SkipReason("once") if context.instance.get_runs_count() else dg.RunRequest()

defs = build_definitions(
    assets=[orders], jobs=[load], sensors=[start], alerts="alerts.yaml"
)
"""
# Runs start without a daemon that takes them from a queue.
COORDINATOR = {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"}
AT_ONCE = {"run_coordinator": COORDINATOR}
WAIT_SECONDS = 120


@pytest.mark.programs
def test_a_run_that_a_daemon_has_launched_is_told_by_its_code_location(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webhook: Webhook
) -> None:
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("DP_AUTOMATION", "off")
    monkeypatch.setenv("TEAM_HOOK", webhook.url)
    monkeypatch.delenv("DP_TARGET", raising=False)
    (tmp_path / "shop.py").write_text(LOCATION)
    (tmp_path / "alerts.yaml").write_text("routes: {team: {to: '${TEAM_HOOK}'}}")
    target = PythonFileTarget(
        python_file=str(tmp_path / "shop.py"),
        attribute="defs",
        working_directory=str(tmp_path),
        location_name="shop",
    )
    home = tmp_path / "home"  # not removed at once: a process of a run ends after the run
    home.mkdir()
    with (
        dg.DagsterInstance.local_temp(str(home), overrides=AT_ONCE) as instance,
        create_test_daemon_workspace_context(target, instance) as context,
    ):
        for _ in range(2):
            instance.wipe_all_schedules()  # so that the sensors need not wait for their interval
            list(execute_sensor_iteration(context, logging.getLogger(), None, None))
            _wait_until_ended(instance)

    assert webhook.titles == ["[local] shop: orders failed"]
    assert "LookupError: no such table: shop.orders" in webhook.texts[0]
    assert "declared at shop.py:5" in webhook.texts[0]


def _wait_until_ended(instance: dg.DagsterInstance) -> None:
    ends = time.monotonic() + WAIT_SECONDS
    while not all(run.is_finished for run in instance.get_runs()):
        assert time.monotonic() < ends
        time.sleep(0.2)
