"""A code location whose server has died is reloaded; one whose code is wrong is left alone."""

from __future__ import annotations

import http.server
import io
import json
import queue
import threading

import pytest

from factories.cli.serving import code_servers
from factories.cli.serving.api import DagsterApi
from factories.cli.serving.code_servers import reloaded_when_unreachable


def entry(name: str, error: str | None) -> dict[str, object]:
    """What the webserver says of a code location."""
    kind = "PythonError" if error else "RepositoryLocation"
    said = {"__typename": kind, "message": "", "className": error}
    return {"name": name, "locationOrLoadError": said}


ENTRIES = [
    entry("serves", None),
    entry("is wrong", "DagsterUserCodeProcessError"),
    entry("has died", "DagsterUserCodeUnreachableError"),
]


def test_location_whose_server_has_died_is_reloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_servers, "LOOK_SECONDS", 0.01)
    reloaded: queue.SimpleQueue[str] = queue.SimpleQueue()

    class Webserver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "reloadRepositoryLocation" in asked["query"]:
                reloaded.put(asked["variables"]["name"])
            self.send_response(200)
            self.end_headers()
            found = {"workspaceOrError": {"locationEntries": ENTRIES}}
            self.wfile.write(json.dumps({"data": found}).encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webserver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api = DagsterApi(f"http://127.0.0.1:{server.server_port}")
        with reloaded_when_unreachable(api, log := io.StringIO()):
            names = {reloaded.get(timeout=60), reloaded.get(timeout=60)}
        server.shutdown()

    assert names == {"has died"}
    assert "the code server of has died does not answer: loading it again\n" in log.getvalue()
