"""A code location with alerts, evaluated in this process at times that a test chooses."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

# What a daemon knows of a code location; not public in 1.13.
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from factories.alerts.config import Alerts, read_alerts
from factories.alerts.sensor import evaluate
from factories.alerts.state import AlertState, StateStore
from factories.core.yaml.problems import Problem
from tests.factories.alerts.channels import Mailbox, Webhook, serve_mail, serve_webhook

DAY = 86_400.0
# For instances on disk: what steps print goes nowhere, in place of through a program `tail`.
NO_LOGS = {
    "compute_logs": {
        "module": "dagster.core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}


class Source:
    """What assets read: says what is wrong with it, or nothing."""

    def __init__(self, wrong: str = "no such table: shop.orders") -> None:
        self.wrong = wrong

    def read(self) -> None:
        if self.wrong:
            raise LookupError(self.wrong)


def shop(source: Source) -> list[dg.AssetsDefinition]:
    """Two assets that read the source, and a report of both."""

    @dg.asset(owners=["team:sales"])
    def orders() -> None:
        source.read()

    @dg.asset
    def stores() -> None:
        source.read()

    @dg.asset(deps=[orders, stores])
    def report() -> None: ...

    return [orders, stores, report]


def code_location(name: str) -> InProcessCodeLocationOrigin:
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name="shop")
    return InProcessCodeLocationOrigin(target, location_name=name)


@dataclass
class AlertingLocation:
    """A code location whose sensor a test evaluates.

    Attributes:
        root: The project folder.
        instance: Dagster's, in memory.
        now: The time, from that of this machine on.
        origin: The code location as a daemon knows it; None as for runs in this process.
    """

    root: Path
    instance: dg.DagsterInstance
    now: float
    definitions: dg.Definitions = field(default_factory=dg.Definitions)
    alerts: Alerts | None = None
    origin: InProcessCodeLocationOrigin | None = None

    def write(self, text: str) -> None:
        """Write the file of alerts."""
        path = self.root / "alerts.yaml"
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        problems: list[Problem] = []
        self.alerts = read_alerts("alerts.yaml", self.root, problems)
        assert not problems, [str(problem) for problem in problems]

    def define(self, *assets: Any, **definitions: Any) -> None:
        self.definitions = dg.Definitions(assets=[*assets], **definitions)

    def tick(self, after: float = 31.0, clock: Callable[[], float] | None = None) -> str:
        """Evaluate the sensor, some seconds after the last time; return what it says.

        Args:
            after: The seconds.
            clock: A clock that goes on meanwhile.
        """
        self.now += after
        assert self.alerts is not None
        with dg.SensorEvaluationContext(
            instance_ref=None,
            last_tick_completion_time=None,
            last_run_key=None,
            cursor=None,
            repository_name="__repository__",
            instance=self.instance,
            repository_def=self.definitions.get_repository_def(),
            sensor_name="alerts",
            code_location_origin=self.origin,
        ) as context:
            return evaluate(context, self.alerts, clock or (lambda: self.now))

    def run(self, *selection: str, **arguments: Any) -> dg.ExecuteInProcessResult:
        """Run assets, all by default."""
        job = self.definitions.get_repository_def().get_implicit_global_asset_job_def()
        keys = [dg.AssetKey(key.split("/")) for key in selection]
        return job.execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            asset_selection=keys or None,
            **arguments,
        )

    @property
    def state(self) -> AlertState:
        return StateStore(self.instance, "local").read("this code location")


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with serve_webhook() as webhook:
        yield webhook


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with serve_mail() as mailbox:
        yield mailbox


@pytest.fixture
def location(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webhook: Webhook
) -> Iterator[AlertingLocation]:
    """A code location with one route, to a webhook, and nothing to be told of yet."""
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("TEAM_HOOK", webhook.url)
    monkeypatch.delenv("DP_TARGET", raising=False)
    monkeypatch.delenv("DAGSTER_URL", raising=False)
    with dg.DagsterInstance.ephemeral() as instance:
        made = AlertingLocation(tmp_path, instance, time.time())
        made.write("routes: {team: {to: '${TEAM_HOOK}'}}")
        yield made
