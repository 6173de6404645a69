"""The server process: `python -m sample_sources.weather_api.server`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette

from sample_sources.errors import SampleError
from sample_sources.weather_api.address import (
    HOST,
    State,
    folder,
    forget_state,
    read_state,
    write_state,
)
from sample_sources.weather_api.app import build_app

IDLE_MINUTES = 30.0
WATCH_SECONDS = 2.0
_log = logging.getLogger("weather_api")


def serve(*, idle_seconds: float) -> None:
    """Serve on a free port of 127.0.0.1 until a signal, idleness or another server ends it.

    Args:
        idle_seconds: How long without requests until it ends by itself; 0: never.

    Raises:
        SampleError: The data or the environment's faults cannot be read.
    """
    token = secrets.token_urlsafe(32)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watch = asyncio.create_task(stop_when_useless())
        yield
        watch.cancel()
        if is_known():
            forget_state()

    async def stop_when_useless() -> None:
        requests, since = 0, time.monotonic()
        while not server.should_exit:
            await asyncio.sleep(min(idle_seconds / 4 or WATCH_SECONDS, WATCH_SECONDS))
            if server.server_state.tasks or server.server_state.total_requests != requests:
                requests, since = server.server_state.total_requests, time.monotonic()
            if idle_seconds and time.monotonic() - since > idle_seconds:
                _log.info("stopping: no request for %.0f seconds", idle_seconds)
                server.should_exit = True
            if not is_known():
                _log.info("stopping: the folder is gone, or another server's")
                server.should_exit = True

    def is_known() -> bool:
        state = read_state()
        return state is not None and state.token == token

    app = build_app(folder(), token, lifespan)
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(128)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
        )
        server = uvicorn.Server(config)
        write_state(State(os.getpid(), listener.getsockname()[1], token))
        server.run(sockets=[listener])


def main() -> int:
    """Serve; the exit status."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    minutes = float(os.environ.get("DP_LOCAL_IDLE_MINUTES", IDLE_MINUTES))
    try:
        serve(idle_seconds=minutes * 60)
    except SampleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
