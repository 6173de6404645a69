"""`dbt_client.py SOCKET MODULE ARGUMENT…`: has `dbt_server.py` run a module; ends as that does."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys


def main() -> None:
    """Send what a process is made of, pass signals on, and end with the program's status."""
    address, *command = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        place = {"environment": dict(os.environ), "folder": os.getcwd()}  # noqa: PTH109 - slow
        request = json.dumps({"command": command, **place}).encode()
        socket.send_fds(server, [len(request).to_bytes(4, "big")], [0, 1, 2])
        server.sendall(request)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: server.sendall(bytes([number])))
        status = int.from_bytes(server.recv(2, socket.MSG_WAITALL), "big", signed=True)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    main()
