"""The Python environments: their versions, and whether they hold what `constraints/` says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from factories.cli.doctor import environment_report
from factories.cli.doctor.findings import Finding, note, ok, problem
from factories.cli.workspace import CodeLocation
from factories.core.yaml.reader import display_name

AREA = "environments"
REPORT_SECONDS = 30
MOST_NAMED = 3


@dataclass(frozen=True)
class Environment:
    """A Python environment, and what it holds.

    Attributes:
        name: Its folder's, such as `ml`.
        python: Its interpreter.
        version: Of its Python.
        packages: The version of each installed package, by its normalized name.
        failure: Why nothing is known of it; empty when something is.
    """

    name: str
    python: Path
    version: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


def look_at_environments(root: Path, locations: Sequence[CodeLocation]) -> list[Finding]:
    """Look at the environment of `dp`, and at those of the code locations."""
    pythons = dict.fromkeys([Path(sys.executable), *(each.python for each in locations)])
    with ThreadPoolExecutor() as pool:
        environments = [*pool.map(read_environment, pythons)]
    found = [each for environment in environments for each in _judge(root, environment)]
    return [*found, *_compare_dagster(environments)]


def read_environment(python: Path) -> Environment:
    """Ask an environment what it holds."""
    name = python.parent.parent.name
    if not python.is_file():
        return Environment(name, python, failure="is missing")
    try:
        done = subprocess.run(
            [str(python), "-I", environment_report.__file__],
            capture_output=True,
            text=True,
            timeout=REPORT_SECONDS,
            check=True,
        )
        report = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return Environment(name, python, failure=f"does not answer within {REPORT_SECONDS} s")
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return Environment(name, python, failure=f"does not work: {said}")
    except (OSError, ValueError) as error:
        return Environment(name, python, failure=f"does not work: {error}")
    packages = {str(canonicalize_name(name)): is_ for name, is_ in report["packages"].items()}
    return Environment(name, python, report["python"], packages)


def _judge(root: Path, environment: Environment) -> Iterator[Finding]:
    remake = f"`rm -rf {display_name(environment.python.parent.parent, root)} && make setup`"
    if environment.failure:
        yield problem(AREA, environment.name, environment.failure, f"make it anew: {remake}")
        return
    wanted = required_python(root)
    if wanted is not None and environment.version not in wanted:
        said = f"Python {environment.version}, and the project needs {wanted}"
        fix = f"make it anew with another Python: {remake}, with PYTHON=… where it is not found"
        yield problem(AREA, environment.name, said, fix)
        return
    constraints = root / "constraints" / f"{environment.name}.txt"
    says = f"Python {environment.version}, {len(environment.packages)} packages"
    if not constraints.is_file():
        shown = display_name(constraints, root)
        yield note(AREA, environment.name, f"{says}; there is no {shown} to compare them with")
        return
    different = different_packages(constraints.read_text(encoding="utf-8"), environment.packages)
    if different:
        more = len(different) - MOST_NAMED
        named = ", ".join(different[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        said = f"{says}; other than in {display_name(constraints, root)}: {named}"
        yield problem(AREA, environment.name, said, f"make it anew: {remake}")
    else:
        yield ok(AREA, environment.name, f"{says}, as in {display_name(constraints, root)}")


def required_python(root: Path) -> SpecifierSet | None:
    """Return which Pythons the project's metadata allow; None when they do not say."""
    path = root / "pyproject.toml"
    try:
        return SpecifierSet(tomllib.loads(path.read_text("utf-8"))["project"]["requires-python"])
    except (OSError, ValueError, KeyError, InvalidSpecifier):
        return None


def different_packages(constraints: str, packages: Mapping[str, str]) -> list[str]:
    """Return what differs from a compiled requirements file, each as `name 1.2 (1.3)`.

    What is installed beside it, such as this project, is nobody's mistake.

    Args:
        constraints: The file's text.
        packages: The installed versions, by normalized name.
    """
    different = []
    for line in constraints.splitlines():
        if not re.match(r"[A-Za-z0-9]", line):
            continue  # a hash, a comment
        try:
            pin = Requirement(line.removesuffix("\\").strip())
        except InvalidRequirement:
            continue  # an address, whose version the file does not say
        if pin.marker is not None and not pin.marker.evaluate():
            continue
        installed = packages.get(canonicalize_name(pin.name))
        if installed is None:
            different.append(f"{pin.name} is missing")
        elif installed not in pin.specifier:
            different.append(f"{pin.name} {installed} ({str(pin.specifier).lstrip('=')})")
    return different


def _compare_dagster(environments: Sequence[Environment]) -> Iterator[Finding]:
    """Yield whether all hold the same Dagster: the host's reads what the others send."""
    known = [each for each in environments if not each.failure]
    versions = {each.name: each.packages.get("dagster", "none") for each in known}
    if len({*versions.values()}) > 1:
        said = ", ".join(f"{version} in {name}" for name, version in versions.items())
        yield problem(AREA, "dagster", said, "pin one version in pyproject.toml, then `make lock`")
    elif known:
        yield ok(AREA, "dagster", f"{versions[known[0].name]} in all")
