"""A handler's process, from its folder to its end."""

from __future__ import annotations

import contextlib
import os
import sys

from local_snowflake.routines.handler_side import function, procedure
from local_snowflake.routines.handler_side.channel import Channel, ServerGoneError


def run_handler(folder: str) -> None:
    """Run the handler of the first message, and end this process.

    Args:
        folder: The process's own, an absolute path; the imports lie in `imports` below it.
    """
    os.chdir(folder)
    # Snowflake's documented way to the files of IMPORTS.
    sys._xoptions["snowflake_import_directory"] = os.path.join(folder, "imports", "")  # noqa: PTH118, SLF001
    channel = Channel()
    with contextlib.suppress(ServerGoneError, BrokenPipeError):
        message = channel.receive_json()
        run = procedure.run if message["kind"] == "PROCEDURE" else function.run
        run(channel, message)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads and exit handlers of the handler's libraries would only delay the caller.
    os._exit(0)
