"""Dagster's webserver and daemon: `dagster dev` on the project's instance."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from factories.cli.api import ApiError, DagsterApi
from factories.core.project import MARKER, project_root
from factories.core.warehouse.settings import client_environment

HOST = "127.0.0.1"
START_SECONDS = 180
STOP_SECONDS = 30


class DagsterProcessError(Exception):
    """`dagster dev` did not start; the text says why, or where its log is."""


def dagster_home(root: Path) -> Path:
    """Return the instance's folder, with the project's `dagster.yaml` in it.

    `DAGSTER_HOME` when it is set, else `.local/dagster` in the project.

    Raises:
        DagsterProcessError: When the folder cannot be written.
    """
    if chosen := os.environ.get("DAGSTER_HOME"):
        return Path(chosen)
    home = Path(os.environ.get("DP_LOCAL_DIR", root / ".local")).resolve() / "dagster"
    try:
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / "dagster.yaml", home / "dagster.yaml")
    except OSError as error:
        raise DagsterProcessError(
            f"the folder {home} cannot be used: {error.strerror or type(error).__name__};"
            " DP_LOCAL_DIR names another one"
        ) from error
    return home


def serve(port: int) -> int:
    """Run `dagster dev` in the foreground; return its exit status."""
    root = project_root()
    if not _is_free(port):
        sys.stderr.write(f"port {port} is taken: stop what listens there or use --port\n")
        return 1
    try:
        home = dagster_home(root)
    except DagsterProcessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with subprocess.Popen(
        _command(root, port), cwd=root, env=_environment(home), start_new_session=True
    ) as process:
        state = home / "webserver.json"
        state.write_text(json.dumps({"url": f"http://{HOST}:{port}"}))
        try:
            return process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            state.unlink(missing_ok=True)
            _stop(process)


@contextmanager
def running_dagster() -> Iterator[DagsterApi]:
    """Give access to a running webserver and daemon: those of `dp dev`, or some of our own.

    Our own listen on a free port, log to the instance's folder, and stop at the end.

    Raises:
        DagsterProcessError: When they do not start.
    """
    root = project_root()
    home = dagster_home(root)
    if api := find_dagster(home):
        api.reload()  # it may have started before the YAML was changed
        yield api
        return
    port = find_free_port()
    log_path = home / "dagster.log"
    with (
        log_path.open("w") as log,
        subprocess.Popen(
            _command(root, port),
            cwd=root,
            env={**_environment(home), "DP_AUTOMATION": "off"},  # just what was asked for runs
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            api = DagsterApi(f"http://{HOST}:{port}")
            _wait_until_up(api, home, process, log_path)
            yield api
        finally:
            _stop(process)


def _command(root: Path, port: int) -> list[str]:
    dagster = Path(sys.executable).with_name("dagster")
    options = ["-w", str(root / MARKER), "-h", HOST, "-p", str(port), "--log-level", "warning"]
    return [str(dagster), "dev", *options]


def _environment(home: Path) -> Mapping[str, str]:
    own = {"DAGSTER_HOME": str(home), "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **client_environment(), **own}


def find_dagster(home: Path) -> DagsterApi | None:
    """Return the webserver of `dp dev`, if it runs on this instance and answers.

    After a crash the port that was noted may be another's: whoever answers is asked whose it is.
    """
    try:
        api = DagsterApi(json.loads((home / "webserver.json").read_text())["url"])
        return api if _belongs_to(api, home) else None
    except (OSError, ValueError, KeyError, ApiError):
        return None


def _belongs_to(api: DagsterApi, home: Path) -> bool:
    return api.instance_folder().resolve() == home.resolve()


def _wait_until_up(
    api: DagsterApi, home: Path, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Wait until the webserver of this instance answers.

    Raises:
        DagsterProcessError: When it does not, or another's answers: between the search for a free
            port and the start of the webserver somebody else may take it.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DagsterProcessError(f"dagster ended at once: see {log}")
        try:
            if _belongs_to(api, home):
                return
        except ApiError:
            time.sleep(0.2)
        else:
            raise DagsterProcessError(f"{api.url} is the Dagster of another project: run it again")
    raise DagsterProcessError(f"dagster did not answer within {START_SECONDS} s: see {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop `dagster dev`, which stops its children; what is left of them is killed."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def find_free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
