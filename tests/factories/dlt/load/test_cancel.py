"""Runs that are cancelled, and what lies in the folder of a step that was killed."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from factories.dlt.load.unfinished import NOTES
from local_snowflake.target import connection_settings
from tests.factories.dlt.conftest import Project, materialized
from tests.factories.dlt.load.stopping_step import (
    Completed,
    Copying,
    Normalized,
    Point,
    Reading,
    stopped_step,
)

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dlt kill")]

SECRET = "s3cret-of-the-source"
# The function `halt_here` is given to the process that is stopped.
SHOP = """
    import builtins

    def events():
        for n in range(4):
            yield {"at": n, "tags": [{"tag": n}]}
        getattr(builtins, "halt_here", bool)()
"""
SHOP_YAML = """
    source: {python: "shop:events"}
    resources:
      events:
        write_disposition: append
        incremental: {cursor_path: at}
        meta: {dagster: {retries: {max: 3, delay: 0s}}}
"""


@pytest.mark.parametrize("point", [Reading(), Copying("events"), Completed()], ids=str)
def test_cancelled_step_ends_and_leaves_nothing_half_done(project: Project, point: Point) -> None:
    project.module(SHOP)
    project.pipeline(SHOP_YAML)

    # A file that is being copied when the step is cancelled is copied to its end.
    with stopped_step(point, release_at_shutdown=True) as step:
        folders = step.folders()
        step.end(signal.SIGTERM)

    complete = isinstance(point, Completed)
    assert folders
    assert not any(folder.exists() for folder in folders)
    if not isinstance(point, Reading):  # else there is no table yet
        assert project.count("events") == project.count("events__tags") == (4 if complete else 0)
        assert project.count(NOTES) == 0
    again = project.run()
    assert materialized(again)["events"]["rows_loaded"] == (0 if complete else 4)
    assert project.rows("select at from {d}.events order by at") == [(n,) for n in range(4)]


@pytest.fixture
def api() -> Iterator[str]:
    """An API that wants a key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["X-Key"] == SECRET else 401)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps([{"id": 1}]).encode())

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_folder_of_a_killed_step_holds_no_secret_and_is_swept(
    project: Project, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEY", SECRET)
    project.pipeline(f"""
        source:
          rest_api:
            client:
              base_url: {api}
              auth: {{type: api_key, name: X-Key, api_key: "${{SHOP_KEY}}"}}
            resources: [{{name: things, endpoint: {{path: things, paginator: single_page}}}}]
        resources: {{things: {{}}}}
    """)

    with stopped_step(Normalized()) as step:
        step.end(signal.SIGKILL)
        (folder,) = step.folders()

    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any("things" in path.name for path in files)
    password = str(connection_settings()["password"])
    for path in files:
        text = path.read_bytes()
        assert SECRET.encode() not in text, path
        assert password.encode() not in text, path
    assert project.run().success
    assert not folder.exists()
    assert project.count("things") == 1


def test_password_of_a_database_is_not_in_the_folder_of_a_killed_step(
    project: Project, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server takes any password of a local client.
    address = postgres.rpartition("@")[2]
    monkeypatch.setenv("SHOP_DATABASE", f"postgresql://postgres:{SECRET}@{address}")
    project.pipeline("""
        source: {sql_database: {credentials: "${SHOP_DATABASE}", schema: information_schema}}
        resources: {schemata: {}}
    """)

    with stopped_step(Normalized()) as step:
        step.end(signal.SIGKILL)
        (folder,) = step.folders()

    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any("schemata" in path.name for path in files)
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
