"""Channels that tests post to: a real HTTP server and a real SMTP server, on this machine."""

from __future__ import annotations

import email
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Webhook:
    """An HTTP server that takes posts.

    Attributes:
        url: As apprise takes it.
        posts: What has arrived and was accepted.
        refused: How many posts were answered with an error.
        status: What it answers.
    """

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0
    status: int = 200

    @property
    def titles(self) -> list[str]:
        return [post["title"] for post in self.posts]

    def titles_at(self, path: str) -> list[str]:
        return [post["title"] for post in self.posts if post["path"] == path]

    @property
    def texts(self) -> list[str]:
        return [post["message"] for post in self.posts]


@contextmanager
def serve_webhook() -> Iterator[Webhook]:
    webhook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if webhook.status == 200:
                webhook.posts.append({**json.loads(body), "path": self.path})
            else:
                webhook.refused += 1
            self.send_response(webhook.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        webhook.url = f"json://reader:h00kpass@127.0.0.1:{server.server_address[1]}/hook"
        yield webhook
        server.shutdown()


@dataclass
class Mailbox:
    """An SMTP server's mail, and its address as apprise takes it."""

    url: str = ""
    mails: list[Message] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(email.message_from_bytes(envelope.content))
        return "250 OK"


@contextmanager
def serve_mail() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        mailbox.url = f"mailto://127.0.0.1:{port}/?from=dagster@example.com&to=ana@example.com"
        yield mailbox
    finally:
        controller.stop()
