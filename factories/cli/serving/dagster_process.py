"""The Dagster of the project's instance: that of `dp dev`, or one that `dp run` starts."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from factories.cli.serving.api import ApiError, DagsterApi
from factories.cli.serving.dagster_start import (
    HOST,
    DagsterProcessError,
    Starting,
    dagster_environment,
    started_dagster,
)
from factories.cli.serving.fingerprint import Fingerprint, describe_difference, take_fingerprint
from factories.cli.serving.served_instance import (
    STATE_FILE,
    Served,
    clear_left_over,
    held_instance,
    read_served,
)
from factories.cli.serving.source_files import reload_if_changed
from factories.core.project import project_root

START_SECONDS = 180
WAIT_SECONDS = 0.5
# Nobody has interrupted it; `dagster dev` ends with status 0 then, too.
ENDED = (
    "Dagster has ended, because its webserver or its daemon has: nothing runs by itself any longer."
    " Start dp dev again."
)


def instance_folder(root: Path) -> Path:
    """Return where the instance is, whether it is there or not.

    `DAGSTER_HOME` when it is set, else `.local/dagster` in the project.
    """
    if chosen := os.environ.get("DAGSTER_HOME"):
        return Path(chosen)
    return Path(os.environ.get("DP_LOCAL_DIR", root / ".local")).resolve() / "dagster"


def dagster_home(root: Path) -> Path:
    """Return the instance's folder, with the project's `dagster.yaml` in it.

    One that `DAGSTER_HOME` names has its own.

    Raises:
        DagsterProcessError: When the folder cannot be written.
    """
    home = instance_folder(root)
    if os.environ.get("DAGSTER_HOME"):
        return home
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
    with held_instance(home) as lock:
        if lock is None:
            served = read_served(home)
            sys.stderr.write(f"{served or 'another dp'} has this instance: stop it first\n")
            return 1
        for sentence in clear_left_over(home):
            sys.stderr.write(f"{sentence}\n")
        starting = Starting("dp dev", root, home, port, lock)
        with started_dagster(starting, dagster_environment(home)) as process:
            try:
                status = process.wait()
            except KeyboardInterrupt:
                return 0
        sys.stderr.write(f"{ENDED}\n")
        return status or 1


@contextmanager
def running_dagster(say: Callable[[str], None] = lambda _: None) -> Iterator[DagsterApi]:
    """Give access to a running webserver and daemon: those of `dp dev`, or some of our own.

    Our own listen on a free port, log to the instance's folder, and stop at the end. Two commands
    that start their own wait for each other: a daemon takes all runs of its instance.

    Args:
        say: Told what is waited for, and which runs that were left behind are ended.

    Raises:
        DagsterProcessError: When they do not start, or when `dp dev` works on something else.
    """
    root = project_root()
    home = dagster_home(root)
    waiting = _Waiting(say)
    while True:
        with held_instance(home) as lock:
            if lock is not None:
                for sentence in clear_left_over(home):
                    say(sentence)
                with _own_dagster(Starting("dp run", root, home, find_free_port(), lock)) as api:
                    yield api
                return
        served = read_served(home)
        if served and served.command == "dp dev" and (running := find_dagster(home)):
            _refuse_another(served, take_fingerprint(root, home))
            reload_if_changed(running, root, home, served.by)
            yield running
            return
        waiting.wait_for(served)


class _Waiting:
    """Waits for whoever has the instance, and says so once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said = ""
        self._deadline = time.monotonic() + START_SECONDS

    def wait_for(self, served: Served | None) -> None:
        """Wait a moment.

        Raises:
            DagsterProcessError: When it takes too long: only a `dp run` may go on for long.
        """
        who = "what another dp has started on this instance"
        if served and not served.by.is_dead:
            who = str(served).rstrip(",")
            if served.command == "dp run":
                self._deadline = time.monotonic() + START_SECONDS
        if time.monotonic() > self._deadline:
            raise DagsterProcessError(f"{who} neither answers nor ends: stop it, and try again")
        if who != self._said:
            self._said = who
            self._say(f"waiting for {who}")
        time.sleep(WAIT_SECONDS)


def _refuse_another(served: Served, own: Fingerprint) -> None:
    """Refuse a Dagster that works on something else than this command.

    Raises:
        DagsterProcessError: It says what differs, and never a variable's value.
    """
    if difference := describe_difference(served.made_for, own):
        raise DagsterProcessError(
            f"{served} {difference}: stop it, or give this command what it was started with"
        )


@contextmanager
def _own_dagster(starting: Starting) -> Iterator[DagsterApi]:
    log_path = starting.home / "dagster.log"
    # Just what was asked for runs, and who asked is told.
    off = {"DP_AUTOMATION": "off", "DP_ALERTS": "off"}
    environment = {**dagster_environment(starting.home), **off}
    with (
        log_path.open("w") as log,
        started_dagster(starting, environment, stdin=subprocess.DEVNULL, stdout=log) as process,
    ):
        api = DagsterApi(starting.url)
        _wait_until_up(api, starting.home, process, log_path)
        yield api


def find_dagster(home: Path) -> DagsterApi | None:
    """Return the webserver that is noted, if it runs on this instance and answers.

    After a crash the port that was noted may be another's: whoever answers is asked whose it is.
    """
    try:
        api = DagsterApi(json.loads((home / STATE_FILE).read_text())["url"])
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
