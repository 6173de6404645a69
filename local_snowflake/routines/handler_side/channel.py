"""Messages to and from the server."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from typing import Any, BinaryIO

_LENGTH_BYTES = 8
ID_BYTES = 8
"""The size of a process's id on a control socket."""

STATUS_BYTES = 4
"""The size of a status there; it has a sign."""


class ServerGoneError(Exception):
    """The server has ended, or has closed the channel."""


class Channel:
    """The process's standard input and output, which the handler's code cannot use.

    The handler's output goes to the standard error.
    """

    def __init__(self) -> None:
        self._incoming: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._outgoing: BinaryIO = os.fdopen(os.dup(1), "wb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it stays open

    def receive(self) -> bytes:
        """Wait for a message.

        Raises:
            ServerGoneError: The channel is closed.
        """
        return self._read(int.from_bytes(self._read(_LENGTH_BYTES), "big"))

    def receive_json(self) -> dict[str, Any]:
        """Wait for a message in JSON."""
        message = json.loads(self.receive())
        return dict(message)

    def send(self, content: bytes | memoryview) -> None:
        """Send a message."""
        self._outgoing.write(len(content).to_bytes(_LENGTH_BYTES, "big"))
        self._outgoing.write(content)
        self._outgoing.flush()

    def send_json(self, message: dict[str, Any]) -> None:
        """Send a message in JSON."""
        self.send(json.dumps(message).encode())

    def end_with_server(self) -> None:
        """From now on, end this process and its children when the server closes the channel."""
        threading.Thread(target=self._wait_for_end, daemon=True).start()

    def _wait_for_end(self) -> None:
        with contextlib.suppress(ServerGoneError, OSError, ValueError):
            self._read(1)
        os.killpg(0, signal.SIGKILL)

    def _read(self, size: int) -> bytes:
        content = self._incoming.read(size)
        if len(content) < size:
            raise ServerGoneError
        return content
