"""What is run when a change has been deployed: a real webserver, whose queue nobody empties."""

from __future__ import annotations

import json
import socket
import textwrap
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import uvicorn

# A workspace whose code locations are in this process; not public in 1.13.
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster_webserver.app import create_app_from_workspace_process_context

from deploy.ci import materialize
from deploy.ci.command import CommandError

TOKEN = "canary"
LOCATIONS = {
    "ingestion": """
        import dagster as dg

        @dg.asset
        def orders(): ...

        @dg.asset(deps=[orders])
        def customers(): ...

        @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
        def days(): ...

        defs = dg.Definitions([orders, customers, days])
    """,
    "marts": """
        import dagster as dg

        @dg.asset(deps=["orders"])
        def report(): ...

        @dg.asset(deps=[report])
        def summary(): ...

        @dg.asset
        def stores(): ...

        defs = dg.Definitions([report, summary, stores])
    """,
}


@dataclass
class Webserver:
    """A webserver that lets in who has the token.

    Attributes:
        url: Its address.
        instance: Its Dagster.
    """

    url: str
    instance: dg.DagsterInstance

    def runs(self) -> dict[str, tuple[list[str], str]]:
        """What each location's run selects, and its cause."""
        found = {}
        for run in self.instance.get_runs():
            origin = run.remote_job_origin
            assert origin
            keys = sorted(key.to_user_string() for key in run.asset_selection or ())
            location = origin.repository_origin.code_location_origin.location_name
            assert location not in found
            found[location] = (keys, run.tags["dp/cause"])
        return found


Send = Callable[[dict[str, Any]], Awaitable[None]]


def let_in(app: Any) -> Any:
    """Put a guard before the webserver."""

    async def guarded(scope: dict[str, Any], receive: Any, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] == "http" and headers.get(b"dagster-cloud-api-token") != TOKEN.encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no token"})
            return
        await app(scope, receive, send)

    return guarded


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    root = tmp_path_factory.mktemp("served")
    origins = []
    for name, code in LOCATIONS.items():
        (root / f"{name}.py").write_text(textwrap.dedent(code))
        target = LoadableTargetOrigin(python_file=str(root / f"{name}.py"), attribute="defs")
        origins.append(InProcessCodeLocationOrigin(target, location_name=name))
    with (
        dg.instance_for_test(temp_dir=str(root)) as instance,
        WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origins)) as context,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        app = let_in(create_app_from_workspace_process_context(context))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Webserver(f"http://127.0.0.1:{listening.getsockname()[1]}", instance)
        server.should_exit = True
        thread.join()


@pytest.fixture
def webserver(served: Webserver, monkeypatch: pytest.MonkeyPatch) -> Webserver:
    """A webserver without runs, and the environment of a step that reaches it."""
    for run in served.instance.get_runs():
        served.instance.delete_run(run.run_id)
    monkeypatch.setenv("DAGSTER_URL", f"{served.url}/")
    monkeypatch.setenv("DAGSTER_CLOUD_API_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_SHA", "c0ffee0123456789")
    return served


def write_plan(folder: Path, *keys: str) -> str:
    runs = [{"location": "ingestion", "key": key, "when": "now"} for key in keys]
    file = folder / "plan.json"
    file.write_text(json.dumps({"differences": [], "runs": runs, "errors": {}}))
    return str(file)


def test_each_location_runs_what_follows_nothing_of_another(
    webserver: Webserver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = ("orders", "customers", "days", "report", "summary", "stores")

    materialize.main([write_plan(tmp_path, *keys)])

    assert webserver.runs() == {
        "ingestion": (["customers", "orders"], "deployed c0ffee012345"),
        "marts": (["stores"], "deployed c0ffee012345"),
    }
    *left, _, _ = capsys.readouterr().out.splitlines()
    assert left == [
        "days: left out, a backfill runs its partitions",
        "report: left to its condition, it follows orders",
        "summary: left to its condition, it follows orders",
    ]


def test_what_follows_something_that_does_not_run_is_run(
    webserver: Webserver, tmp_path: Path
) -> None:
    materialize.main([write_plan(tmp_path, "report", "summary")])

    assert webserver.runs() == {"marts": (["report", "summary"], "deployed c0ffee012345")}


def test_plan_that_runs_nothing_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DAGSTER_URL", raising=False)

    materialize.main([write_plan(tmp_path)])

    assert capsys.readouterr().out == "the change runs nothing again\n"


def test_asset_that_dagster_does_not_know_is_named_and_nothing_runs(
    webserver: Webserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits a while for a code server that was just replaced."""
    monkeypatch.setattr(materialize, "SEEN_SECONDS", 0)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)

    with pytest.raises(CommandError, match="Dagster does not know absent"):
        materialize.main([write_plan(tmp_path, "orders", "absent")])
    assert webserver.runs() == {}


def test_webserver_that_lets_nobody_in_is_told(
    webserver: Webserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_CLOUD_API_TOKEN", "another")

    with pytest.raises(CommandError, match=r"no Dagster webserver answers at http://127") as raised:
        materialize.main([write_plan(tmp_path, "orders")])
    assert "another" not in str(raised.value)


@pytest.mark.parametrize("content", ["", "[]", '{"runs": [{}]}'])
def test_what_is_no_plan_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content)

    with pytest.raises(CommandError, match="is no plan of `dp plan --json`"):
        materialize.main([str(tmp_path / "plan.json")])
