"""The server process: `python -m local_snowflake.process.server --folder DIR`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import secrets
import socket
import sys
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import uvicorn
from filelock import FileLock, Timeout
from starlette.applications import Starlette

from local_snowflake.engine.gap_fillers import LAYER
from local_snowflake.engine.warehouse import Warehouse
from local_snowflake.identity import HOST
from local_snowflake.process.state import (
    ServerState,
    default_folder,
    lock_file,
    state_file,
    write_state,
)
from local_snowflake.protocol.clients import protocol_reporting
from local_snowflake.protocol.login import SESSION_SECONDS
from local_snowflake.protocol.queries import MAX_WAIT_SECONDS
from local_snowflake.protocol.routes import Service, build_app

IDLE_MINUTES = 30.0
WATCH_SECONDS = 10.0


def main(arguments: list[str] | None = None) -> int:
    """Serve one folder until a signal or inactivity ends the process; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument(
        "--idle-minutes",
        type=float,
        default=float(os.environ.get("DP_LOCAL_IDLE_MINUTES", IDLE_MINUTES)),
        help="stop after this many minutes without requests; 0: never",
    )
    parser.add_argument(
        "--answer-seconds",
        type=float,
        default=float(os.environ.get("DP_LOCAL_ANSWER_SECONDS", MAX_WAIT_SECONDS)),
        help="answer a statement that still runs after these seconds with 'in progress'",
    )
    options = parser.parse_args(arguments)
    _collect_seldom()
    folder: Path = options.folder.resolve()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    # These two log the text of statements.
    for chatty in ("sqlglot", "snowflake.connector"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    # fakesnow fetches results in a way that DuckDB warns is slow.
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(lock_file(folder), timeout=0):
            serve(
                folder,
                idle_seconds=options.idle_minutes * 60,
                answer_seconds=options.answer_seconds,
            )
    except Timeout:
        sys.stderr.write(f"Another server of the embedded warehouse uses {folder}.\n")
        return 1
    except (OSError, duckdb.IOException) as error:
        sys.stderr.write(f"{folder} cannot be used: {error}\n")
        return 1
    return 0


def _collect_seldom() -> None:
    """Have Python's collector search for circles less often.

    A statement is parsed into thousands of objects, which are freed when it has been translated: a
    tenth of the time went into searches that found nothing.
    """
    gc.set_threshold(50_000, 20, 100)


def serve(folder: Path, *, idle_seconds: float, answer_seconds: float) -> None:
    """Serve `folder` on a free port of 127.0.0.1; the caller holds its lock.

    Args:
        folder: Where the databases are.
        idle_seconds: The server ends after this time without requests; 0 means never.
        answer_seconds: After how long a statement that still runs is answered; the client then asks
            again.
    """
    token = secrets.token_urlsafe(32)
    service = Service(Warehouse(folder, LAYER), LAYER, token, answer_seconds=answer_seconds)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        watch = asyncio.create_task(stop_when_unused())
        yield
        watch.cancel()
        await service.close()
        state_file(folder).unlink(missing_ok=True)

    async def stop_when_unused() -> None:
        while True:
            await asyncio.sleep(min(idle_seconds / 4 or WATCH_SECONDS, WATCH_SECONDS))
            if idle_seconds and service.idle_seconds > idle_seconds:
                service.log.info("stopping: no request for %.0f seconds", idle_seconds)
                server.should_exit = True
            # No client can find the server, for example after the project's folder was deleted.
            if not state_file(folder).exists():
                service.log.info("stopping: the state file is gone")
                server.should_exit = True

    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(128)
        port = listener.getsockname()[1]
        service.warehouse.handlers.port = port
        config = uvicorn.Config(
            build_app(service, lifespan),
            log_config=None,
            access_log=False,
            http=protocol_reporting(service.clients.disconnected),
            # The server never closes a connection: a closed one means that its client has gone.
            timeout_keep_alive=SESSION_SECONDS,
            timeout_graceful_shutdown=3,
        )
        server = uvicorn.Server(config)
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        write_state(folder, ServerState(os.getpid(), port, token, started_at))
        server.run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
