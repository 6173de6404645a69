"""`python -m local_snowflake.routines.handler_side.fork_server FD`: forks processes for handlers.

Importing Snowpark and pandas takes most of a short call's time. This process has imported them,
runs no handler's code, and forks. Each message on the socket FD asks for a handler: it holds the
handler's folder and packages as JSON, and brings the standard streams and a control socket. The
answer on the control socket is the process's id and, when it has ended, its status. When the server
closes the control socket, the handler and its children are killed. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from dataclasses import dataclass
from typing import Any

from local_snowflake.routines.handler_side.channel import ID_BYTES, STATUS_BYTES
from local_snowflake.routines.handler_side.code import provide_snowflake_module
from local_snowflake.routines.handler_side.handler import run_handler

_IMPORTED = ("snowflake.snowpark", "pandas", "pyarrow")
# Imported ahead of the next handler, once one that declares the package was asked for. Just what
# works in a fork: a library that has started threads may not.
_IMPORTED_LATER = {"scikit-learn": "sklearn"}
_MAX_MESSAGE_BYTES = 65_536
_STREAMS = 3
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass
class _Forked:
    """A handler's process, and the socket on which the server waits for its end."""

    pid: int
    pidfd: int
    control: socket.socket


class _ForkServer:
    """Forks, until the server closes the socket of requests and every handler has ended."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._selector.register(requests, selectors.EVENT_READ)
        self._kill_this_with_its_parent = ctypes.CDLL(None).prctl
        self._handlers: list[_Forked] = []
        self._is_open = True
        self._modules_ahead: set[str] = set()

    def serve(self) -> str | None:
        """Return, in a forked process, the folder of its handler; None at the end."""
        while self._is_open or self._handlers:
            for key, _ in self._selector.select(0 if self._modules_ahead else None) or self._idle():
                if key.fileobj is self._requests:
                    folder = self._take_request()
                    if folder is not None:
                        return folder
                elif key.fd == key.data.pidfd:
                    self._report_end(key.data)
                else:
                    self._kill(key.data)
        return None

    def _take_request(self) -> str | None:
        message, descriptors, _, _ = socket.recv_fds(
            self._requests, _MAX_MESSAGE_BYTES, _STREAMS + 1
        )
        if not message:
            self._selector.unregister(self._requests)
            self._is_open = False
            return None
        *streams, control = descriptors
        request = json.loads(message)
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            self._become_handler(parent, streams)
            return str(request["folder"])
        os.setpgid(pid, pid)  # here too: the server may kill the group as soon as it has the id
        for stream in streams:
            os.close(stream)
        forked = _Forked(pid, os.pidfd_open(pid), socket.socket(fileno=control))
        self._handlers.append(forked)
        self._selector.register(forked.pidfd, selectors.EVENT_READ, forked)
        self._selector.register(forked.control, selectors.EVENT_READ, forked)
        with contextlib.suppress(OSError):  # the server has closed it meanwhile
            forked.control.sendall(pid.to_bytes(ID_BYTES, "big"))
        modules = (_IMPORTED_LATER.get(package) for package in request["packages"])
        self._modules_ahead |= {
            module for module in modules if module and module not in sys.modules
        }
        return None

    def _idle(self) -> list[Any]:
        """Import a module for handlers to come, while no handler is asked for."""
        with contextlib.suppress(ImportError):
            importlib.import_module(self._modules_ahead.pop())
        return []

    def _report_end(self, forked: _Forked) -> None:
        _, code = os.waitpid(forked.pid, 0)
        status = os.waitstatus_to_exitcode(code)
        with contextlib.suppress(OSError):  # the server has closed it
            forked.control.sendall(status.to_bytes(STATUS_BYTES, "big", signed=True))
        for source in (forked.pidfd, forked.control):
            with contextlib.suppress(KeyError):
                self._selector.unregister(source)
        os.close(forked.pidfd)
        forked.control.close()
        self._handlers.remove(forked)

    def _kill(self, forked: _Forked) -> None:
        """Kill a handler that the server has given up; its end is reported to nobody."""
        if forked in self._handlers:
            self._selector.unregister(forked.control)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(forked.pid, signal.SIGKILL)

    def _become_handler(self, parent: int, streams: list[int]) -> None:
        os.setpgid(0, 0)
        self._kill_this_with_its_parent(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended before the line above
            os._exit(1)
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
        self._selector.close()
        os.closerange(_STREAMS, os.sysconf("SC_OPEN_MAX"))


def main() -> None:
    """Import what most handlers need, then fork."""
    del sys.path[0]  # the project's own modules cannot be imported from here on
    requests = socket.socket(fileno=int(sys.argv[1]))
    provide_snowflake_module()
    for name in _IMPORTED:
        with contextlib.suppress(ImportError):  # the handler that needs it reports that
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    folder = _ForkServer(requests).serve()
    if folder is not None:
        _draw_other_random_numbers()
        run_handler(folder)


def _draw_other_random_numbers() -> None:
    """Seed NumPy anew, as in a process of its own; `random` does that by itself after a fork."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


if __name__ == "__main__":
    main()
