"""The Python environment of handlers, and their processes.

A handler runs in the environment of the code location: `DP_LOCAL_PYTHON`, else the project's
`.venvs/ml`, else the server's own. Packages are not installed on demand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path

from local_snowflake.identity import HOST, PROJECT_ROOT
from local_snowflake.routines.definitions import Routine
from local_snowflake.routines.handler_processes.errors import handler_ended
from local_snowflake.routines.handler_processes.forked_processes import ForkServer, can_fork
from local_snowflake.routines.handler_processes.process import (
    HandlerEndedError,
    HandlerProcess,
    Launcher,
    start_handler_process,
)
from local_snowflake.sql.errors import SqlError
from local_snowflake.stages.locations import USER_STAGE, stage_folder

START_SECONDS = 60.0
"""How long a handler's process may take until it is ready."""

_PROBE_SECONDS = 30.0
_PROBE = (
    "import importlib.metadata as m, json, platform;"
    "print(json.dumps([platform.python_version(), "
    "{d.metadata['Name']: d.version for d in m.distributions()}]))"
)
# The variables that handlers get; all others of the server, among them secrets, stay here.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_SETTINGS = {
    # Else the driver asks the clouds' metadata services at each login where it runs.
    "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
    # The threads of a model wait for each of many small batches. If they spin meanwhile, they take
    # the cores from the server: a query of 7 s took a minute beside another one.
    "OMP_WAIT_POLICY": "passive",
}
_PACKAGE = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^]]*\])?\s*(.*)")


@dataclass(frozen=True)
class StartedHandler:
    """A started process for a handler.

    Attributes:
        process: The process.
        folder: Its own folder, which is deleted with it.
        imports: The names of the imported files in the import directory.
    """

    process: HandlerProcess
    folder: Path
    imports: tuple[str, ...]

    def close(self) -> None:
        """End the process and delete its folder."""
        self.process.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class HandlerEnvironment:
    """The Python environment of handlers, where their processes are started.

    Attributes:
        folder: The folder in which each process gets a folder of its own.
        stages: The folder of all stages.
        port: The server's port, for the sessions of procedures.
    """

    folder: Path
    stages: Path
    port: int = 0
    _launcher: Launcher = field(default_factory=Launcher)
    _packages: dict[str, str] = field(default_factory=dict)
    _version: str = ""
    _fork_server: ForkServer | None = field(init=False)

    def __post_init__(self) -> None:
        # A server that was killed has left it behind.
        shutil.rmtree(self.folder, ignore_errors=True)
        self._fork_server = ForkServer(self._launcher, PROJECT_ROOT) if can_fork() else None

    @property
    def address(self) -> tuple[str, int]:
        """The address at which a handler reaches the server."""
        return HOST, self.port

    @property
    def python(self) -> str:
        """The Python that runs handlers."""
        chosen = os.environ.get("DP_LOCAL_PYTHON")
        if chosen:
            return chosen
        project = Path(os.environ.get("DP_PROJECT_DIR") or PROJECT_ROOT)
        of_location = project / ".venvs" / "ml" / "bin" / "python"
        return str(of_location) if of_location.exists() else sys.executable

    @property
    def label(self) -> str:
        """The environment's folder, for messages."""
        return str(Path(self.python).parent.parent)

    def packages(self, *, again: bool = False) -> dict[str, str]:
        """Return the environment's packages and their versions.

        Args:
            again: Whether to look for packages that were installed meanwhile.

        Raises:
            SqlError: Its Python does not run.
        """
        if again or not self._packages:
            self._version, self._packages = self._probe()
        return self._packages

    def listed_packages(self) -> dict[str, str]:
        """Return the packages under all names by which clients look for them."""
        packages = self.packages(again=True)
        names = {_canonical(name): version for name, version in packages.items()}
        return names | {name.lower(): version for name, version in packages.items()}

    @property
    def runtime_version(self) -> str:
        """The version of its Python: 3.11."""
        self.packages()
        return ".".join(self._version.split(".")[:2])

    def check_packages(self, packages: tuple[str, ...]) -> None:
        """Make sure that packages are installed; other versions are accepted.

        Raises:
            SqlError: One is missing.
        """
        for text in packages:
            name, specifier = _package(text)
            version = self._version_of(name)
            if version is None:
                raise SqlError(
                    "SQL compilation error:\nCannot create a Python function with the specified "
                    f"packages: {name} is not installed in the environment {self.label}, which "
                    "runs the handlers of the embedded warehouse.",
                    100357,
                    "22023",
                )
            if specifier.startswith("==") and specifier.removeprefix("==").strip() != version:
                getLogger("local_snowflake").info(
                    "%s%s was requested, %s is used", name, specifier, version
                )

    def start(self, routine: Routine) -> StartedHandler:
        """Start a process for a handler; it waits for its first message.

        Raises:
            SqlError: A file of its IMPORTS is gone, or no process can be started.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            imports = folder / "imports"
            imports.mkdir()
            names = tuple(self._copy(routine, imports))
            return StartedHandler(self._start_process(routine, folder), folder, names)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, HandlerEndedError):
                raise handler_ended(routine, error, is_cancelled=False) from error
            raise

    def close(self) -> None:
        """Start no more processes."""
        if self._fork_server is not None:
            self._fork_server.close()
        self._launcher.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_process(self, routine: Routine, folder: Path) -> HandlerProcess:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment |= _SETTINGS
        if self._fork_server is not None:
            packages = [_canonical(_package(text)[0]) for text in routine.packages]
            return self._fork_server.start(self.python, environment, folder, packages)
        command = [self.python, "-m", "local_snowflake.routines.handler_side", str(folder)]
        return self._launcher.run(lambda: start_handler_process(command, environment, PROJECT_ROOT))

    def _copy(self, routine: Routine, target: Path) -> list[str]:
        names = []
        for item in routine.imports:
            root = stage_folder(item.stage, self.stages) if item.stage else self.stages / USER_STAGE
            source = root / item.path
            if not source.is_file():
                raise SqlError(
                    f"The file {item} of the IMPORTS of {routine.signature} is no longer there.",
                    391546,
                    "22023",
                )
            shutil.copyfile(source, target / source.name)
            names.append(source.name)
        return names

    def _version_of(self, package: str) -> str | None:
        for again in (False, True):
            versions = {_canonical(n): v for n, v in self.packages(again=again).items()}
            if _canonical(package) in versions:
                return versions[_canonical(package)]
        return self._version if package == "python" else None

    def _probe(self) -> tuple[str, dict[str, str]]:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            done = subprocess.run(
                [self.python, "-c", _PROBE],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=_PROBE_SECONDS,
            )
            version, packages = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise SqlError(
                f"The Python that runs handlers, {self.python}, does not work: {error}",
                100357,
                "22023",
            ) from error
        return str(version), dict(packages)


def _package(text: str) -> tuple[str, str]:
    """Return a package's name and the version that is asked for."""
    found = _PACKAGE.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
