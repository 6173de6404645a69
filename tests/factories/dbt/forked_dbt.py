"""dbt without its start: what this process runs as dbt is a fork of one that has imported it."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from factories.dbt import program

HERE = Path(__file__).parent


@contextmanager
def forked_dbt() -> Iterator[None]:
    """Replace the beginning of dbt's command lines in this process.

    The steps and commands that tests start as processes of their own run the real program.
    """
    real = program.dbt_program()
    module = real[-1]
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX) as listener,
        pytest.MonkeyPatch.context() as patch,
    ):
        address = str(Path(folder) / "dbt")
        listener.bind(address)
        listener.listen(16)
        fd = listener.fileno()
        command = [sys.executable, "-P", str(HERE / "dbt_server.py"), str(fd)]
        started: list[subprocess.Popen[bytes]] = []

        def client() -> list[str]:
            if not started:
                started.append(subprocess.Popen(command, pass_fds=[fd], stdin=subprocess.PIPE))
            return [sys.executable, "-I", "-S", str(HERE / "dbt_client.py"), address, module]

        for name, using in list(sys.modules.items()):
            if name.startswith("factories.") and "dbt_program" in vars(using):
                patch.setattr(using, "dbt_program", client)
        yield
        for server in started:
            server.communicate()  # it ends with its standard input
