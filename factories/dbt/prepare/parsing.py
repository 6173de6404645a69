"""Parsing a dbt project with dbt: its manifest is made here, and compared with its files.

It is made once: by `make setup`, by the build of an image, and while developing when the project's
files have changed; never in a run or a step.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from factories.core.execution.subprocesses import environment_with
from factories.core.warehouse.names import WarehouseNames
from factories.core.yaml.limits import LimitError, check_content
from factories.dbt.environment import PLACEHOLDER, dbt_environment
from factories.dbt.prepare.errors import DbtParseError, PrepareError
from factories.dbt.prepare.fingerprint import Fingerprint, fingerprint
from factories.dbt.prepare.packages import lacking
from factories.dbt.program import dbt_program
from factories.dbt.project.source_files import PROJECT_FILE, project_settings, properties_files

MANIFEST = "manifest.json"
MARK = "manifest.fingerprint"
KEPT = ("partial_parse.msgpack", MANIFEST)
# What dbt reads beside the properties of models, seeds and tests.
READ_FIRST = (PROJECT_FILE, "profiles.yml", "selectors.yml", "packages.yml", "dependencies.yml")
DBT_SECONDS = 600
LOCK_SECONDS = 600
# Of a summary each warning has been told before.
SUMMARIES = frozenset({"DeprecationsSummary"})


@dataclass(frozen=True)
class ParseWarning:
    """What dbt warns of while it parses a project.

    Attributes:
        name: Of dbt's event, such as `NoNodeForYamlKey`.
        text: What dbt says.
        data: The event's values.
    """

    name: str
    text: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class _Mark:
    """What a manifest was made of, and what dbt said then.

    Attributes:
        made_of: The project's files, and what else it depends on.
        digest: Of the manifest.
        warnings: dbt's.
    """

    made_of: Fingerprint
    digest: str
    warnings: tuple[ParseWarning, ...]


def target_folder(project: Path) -> Path:
    """Return where a dbt project's manifest lies.

    Not `target` itself: what a person runs with dbt, for any target, would replace it.
    """
    return project / "target" / "dagster"


def stale(project: Path, names: WarehouseNames) -> str | None:
    """Return why the manifest is not the one of these files and this target; None when it is.

    Raises:
        PrepareError: When this environment has no dbt.
    """
    manifest = target_folder(project) / MANIFEST
    if not manifest.is_file():
        return "is missing"
    mark = _read_mark(project)
    if mark is None:
        return "was not made by this project"
    # Half written, or another one: by a process that was killed, or by a person.
    if mark.digest != _digest(manifest):
        return "is not as dbt wrote it"
    return mark.made_of.difference(fingerprint(project, names))


def parse_warnings(project: Path) -> tuple[ParseWarning, ...]:
    """Return what dbt warned of when it made the manifest; each process after that is silent."""
    mark = _read_mark(project)
    return mark.warnings if mark else ()


def prepare(project: Path, names: WarehouseNames, *, install: bool = False) -> bool:
    """Make the manifest unless it is there already; tell whether it was made now.

    Args:
        project: The dbt project's folder.
        names: Of the target that it is made for.
        install: Whether dbt may install the project's packages, which takes the network.

    Raises:
        PrepareError: When something that dbt needs is missing.
        DbtParseError: When dbt refuses the project; the manifest that was there stays.
    """
    if not (project / PROJECT_FILE).is_file():
        raise PrepareError(f"there is no {PROJECT_FILE} in this folder")
    lacks = _lacks_packages(project)
    if lacks and not install:
        raise PrepareError("its packages are not installed: `make setup` installs them", lacks)
    if not lacks and stale(project, names) is None:
        return False
    from filelock import FileLock, Timeout  # noqa: PLC0415 - most processes make no manifest

    folder = target_folder(project)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "prepare.lock", timeout=LOCK_SECONDS):
            lacks = _lacks_packages(project)
            if not lacks and stale(project, names) is None:  # another process has made it meanwhile
                return False
            _check_limits(project)
            if lacks:
                _dbt("deps", project)
            # Before dbt reads the files: what changes while it does makes the manifest stale.
            made_of = fingerprint(project, names)
            warnings = _parse(project, folder)
            _write_mark(project, made_of, warnings)
    except Timeout:
        message = f"another process has been parsing it for {LOCK_SECONDS} s"
        raise PrepareError(message) from None
    return True


def _check_limits(project: Path) -> None:
    """Refuse the files that dbt would not come to the end of.

    Raises:
        DbtParseError: When one exceeds a limit.
    """
    properties = properties_files(project, project_settings(project))
    for name in (*READ_FIRST, *properties):
        path = project / name
        if path.is_file():
            try:
                check_content(path.read_bytes())
            except LimitError as error:
                raise DbtParseError(f"{name}: {error}") from None


def _read_mark(project: Path) -> _Mark | None:
    """Return what is kept beside the manifest; None when it is not there, or of another version."""
    try:
        mark = json.loads((target_folder(project) / MARK).read_bytes())
        warnings = tuple(ParseWarning(**warning) for warning in mark["warnings"])
        return _Mark(Fingerprint(**mark["made_of"]), str(mark["manifest"]), warnings)
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def _write_mark(project: Path, made_of: Fingerprint, warnings: Iterable[ParseWarning]) -> None:
    folder = target_folder(project)
    mark = {
        "made_of": asdict(made_of),
        "manifest": _digest(folder / MANIFEST),
        "warnings": [asdict(warning) for warning in warnings],
    }
    (folder / MARK).write_text(json.dumps(mark, indent=2))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _lacks_packages(project: Path) -> str | None:
    mark = _read_mark(project)
    return lacking(project, mark.made_of.packages if mark else None)


def _parse(project: Path, folder: Path) -> list[ParseWarning]:
    """Parse into a folder of its own: who reads the manifest meanwhile finds a whole one."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        target = Path(name)
        # Else dbt parses every file again; it warns only of those that it parses.
        if (folder / KEPT[0]).is_file() and not parse_warnings(project):
            shutil.copyfile(folder / KEPT[0], target / KEPT[0])
        # Each deprecation is told, not the first of its kind alone: a key that dbt does not know
        # is one.
        warnings = _dbt("parse", project, "--target-path", name, "--show-all-deprecations")
        for made in KEPT:
            if (target / made).is_file():
                (target / made).replace(folder / made)
    return warnings


def _dbt(command: str, project: Path, *arguments: str) -> list[ParseWarning]:
    """Run a command of dbt, and return what it warns of.

    Raises:
        DbtParseError: When dbt fails, with its error.
    """
    line = [
        *dbt_program(), "--no-quiet", "--no-use-colors", "--log-format", "json",
        "--log-level", "warn", "--log-level-file", "none", command,
        "--project-dir", str(project), "--profiles-dir", str(project), *arguments,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            line,
            cwd=project,
            env=environment_with(dbt_environment(PLACEHOLDER)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DBT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PrepareError(f"dbt {command} took longer than {DBT_SECONDS} s") from None
    warnings, errors = _read_log(done.stdout)
    if done.returncode:
        message = "\n".join(errors).strip() or done.stderr.strip()
        raise DbtParseError(message or f"dbt {command} ended with status {done.returncode}")
    return warnings


def _read_log(text: str) -> tuple[list[ParseWarning], list[str]]:
    """Return the warnings and the errors of dbt's log; what is no JSON may be an error."""
    warnings: list[ParseWarning] = []
    errors: list[str] = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
            info, data = event["info"], event["data"]
        except (ValueError, KeyError, TypeError):
            errors.append(line)
            continue
        if info["level"] == "error":
            errors.append(info["msg"])
        elif info["level"] == "warn" and info["name"] not in SUMMARIES:
            warnings.append(ParseWarning(info["name"], info["msg"], data))
    return warnings, errors
