"""`dbt_server.py FD`: a process that has imported dbt, and forks for each command.

dbt takes seconds to import, and tests start it some two hundred times. `dbt_client.py` is the
program that they start instead. What it asks for on the listening socket FD runs in a fork of this
process: the `main` of a module, with the client's arguments, environment, folder, standard streams
and signals, as if it were a program of its own. This process ends when its standard input does.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import os
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import Any

IMPORTED = ("dbt.cli.main", "dbt.adapters.snowflake", "dbt.task.build", "dbt.task.freshness")


def main() -> None:
    """Import dbt, serve and, in a fork, be what a client has asked for."""
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl-C is for the clients
        for name in IMPORTED:
            importlib.import_module(name)
        inspect.stack()  # dbt asks for it at each start: the forks find what it has looked up
        gc.collect()
        gc.freeze()
        program = _serve(listener)
    if program:
        importlib.import_module(program).main()


def _serve(listener: socket.socket) -> str | None:
    """Fork for each client; return, in the fork, the module that it is to run."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that watch
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return None
        client, _ = listener.accept()
        with client:
            if os.fork() == 0:
                listener.close()
                return _watch(client)


def _watch(client: socket.socket) -> str:
    """Fork the program, and stand between it and its client: signals one way, its end the other."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, streams, _, _ = socket.recv_fds(client, 4, 3)
    request = client.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
    if not request:
        os._exit(0)  # the client has ended meanwhile
    program = os.fork()
    if program == 0:
        return _become(json.loads(request), streams)
    for stream in streams:
        os.close(stream)

    def pass_signals() -> None:
        with suppress(OSError):
            while number := client.recv(1):
                os.kill(program, number[0])
            os.kill(program, signal.SIGKILL)  # as the client was

    threading.Thread(target=pass_signals, daemon=True).start()
    status = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    with suppress(OSError):
        client.sendall(status.to_bytes(2, "big", signed=True))
    os._exit(0)


def _become(request: dict[str, Any], streams: list[int]) -> str:
    """Take over what a program that the client starts would have; return the program."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    program, *sys.argv[1:] = request["command"]
    return str(program)


if __name__ == "__main__":
    main()
