"""A webhook on the loopback that takes alerts, and keeps what they say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Alert:
    """One message."""

    title: str
    body: str


class AlertServer:
    """What was told, in order."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.alerts: list[Alert] = []
        self.url = ""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take messages while the block runs."""
        alerts = self.alerts

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                said = json.loads(self.rfile.read(length))
                alerts.append(Alert(str(said.get("title", "")), str(said.get("message", ""))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing: the story does."""

        server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"json://{HOST}:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
