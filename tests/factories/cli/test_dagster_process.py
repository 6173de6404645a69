"""The webserver that `dp` talks to: found by its instance, never by its port alone."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from factories.cli.serving import dagster_process
from factories.cli.serving.dagster_process import dagster_home, find_dagster, running_dagster
from factories.cli.serving.dagster_start import HOST, DagsterProcessError

pytestmark = pytest.mark.programs


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The instance of a project without a code location."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "workspace.yaml").write_text("load_from: []\n")
    (root / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DP_PROJECT_DIR", str(root))
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path / "local"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return dagster_home(root)


def note(home: Path, url: str) -> None:
    """Write down where `dp dev` serves an instance."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "webserver.json").write_text(json.dumps({"url": url}))


@contextmanager
def serving(body: bytes) -> Iterator[str]:
    """Answer every request with the same, and give the address."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer((HOST, 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()


@pytest.fixture
def stranger() -> Iterator[str]:
    """A webserver that answers as the Dagster of another instance does."""
    info = "local_artifact_storage: {config: {base_dir: /of/another}}"
    with serving(json.dumps({"data": {"instance": {"info": info}}}).encode()) as url:
        yield url


def test_a_port_that_another_has_taken_is_not_used(
    home: Path, stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(home, stranger)
    assert find_dagster(home) is None
    port = int(stranger.rpartition(":")[2])
    monkeypatch.setattr(dagster_process, "find_free_port", lambda: port)

    with pytest.raises(DagsterProcessError, match="of another project"), running_dagster():
        pass


@pytest.mark.parametrize("answer", ["", "[]", '{"data": {"instance": null}}', "<html>"])
def test_a_server_that_is_not_dagster_is_not_used(home: Path, answer: str) -> None:
    with serving(answer.encode()) as url:
        note(home, url)
        assert find_dagster(home) is None
