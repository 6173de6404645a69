"""A webhook on the loopback that takes alerts, and keeps what they say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"


class AlertServer:
    """What was told, in order: the title of each message."""

    def __init__(self) -> None:
        """Begin with none."""
        self.titles: list[str] = []
        self.url = ""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take messages while the block runs."""
        titles = self.titles

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                titles.append(str(json.loads(self.rfile.read(length)).get("title", "")))
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
