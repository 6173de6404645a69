"""The sources that a code location reads, and whether each can be reached from its environment."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factories.cli.doctor.addresses import (
    Address,
    find_addresses,
    through_proxy,
    why_unreachable,
)
from factories.cli.doctor.findings import Finding, note, ok, problem
from factories.cli.doctor.settings import SET_IT
from factories.core.local_systems import LocalSystemError
from factories.core.secret_mask import SecretMask
from factories.core.yaml import variables
from factories.core.yaml.reader import display_name, read_yaml
from factories.sling.connections import CONNECTIONS_FILE, Connection, find_type
from factories.sling.program import SlingNotFoundError, call_sling, find_binary

AREA = "sources"
SLING_SECONDS = 20
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
PREFIX = re.compile(r"^(\d\S* ?(AM|PM)? )?(INF|WRN|ERR|FTL|DBG) |^fatal: |^~ ")
MOST_LINES = 4
START = "`dp sample up` starts it, and so does the first step"


@dataclass(frozen=True)
class Source:
    """A connection of Sling, or the source of a dlt pipeline.

    Attributes:
        name: What it is called, with the file that says so.
        config: What YAML says of it, with its `${VAR}`s.
        connection: Of Sling.
    """

    name: str
    config: Any
    connection: Connection | None = None


def find_sources(root: Path, files: Iterable[str]) -> Iterator[Source]:
    """Yield the sources of the files that declare assets.

    Args:
        root: The project folder.
        files: Relative to it; also those of other tools.
    """
    paths = sorted({root / file for file in files if file.endswith((".yaml", ".yml"))})
    for folder in sorted({path.parent for path in paths}):
        listed = _read(folder / CONNECTIONS_FILE, root).get("connections")
        for name, properties in (listed if isinstance(listed, dict) else {}).items():
            connection = Connection(name, find_type(properties) or "", properties)
            yield Source(f"{name} of {display_name(folder, root)}", properties, connection)
    for path in paths:
        content = _read(path, root)
        if "pipeline" in content and isinstance(content.get("source"), dict):
            yield Source(display_name(path, root), content["source"])


def look_at_sources(sources: Iterable[Source]) -> list[Finding]:
    """Look at all sources at once; a sample system that does not run is not started."""
    with ThreadPoolExecutor() as pool:
        return [*pool.map(_look_at, sources)]


def _look_at(source: Source) -> Finding:
    names = sorted({name for _, name in variables.names(source.config)})
    values: dict[str, str] = {}
    for name in names:
        try:
            values[name] = variables.running_value(name)
        except variables.UndefinedVariableError:
            return problem(AREA, source.name, f"{name} is not set", f"set it {SET_IT}")
        except LocalSystemError as error:
            return problem(AREA, source.name, str(error), "`dp sample status` tells more")
        if not values[name] and name in variables.local_providers():
            return note(AREA, source.name, "the sample system does not run", START)
    where = ", ".join(names)
    fix = f"correct {where} {SET_IT}" if where else "correct it in the file"
    if source.connection is not None:
        return _try_connection(source, source.connection, fix)
    return _try_addresses(source, values, fix)


def _try_addresses(source: Source, values: Mapping[str, str], fix: str) -> Finding:
    config = variables.interpolate(source.config, dict(values))
    addresses = sorted({*find_addresses(config)})
    refused = [why for each in addresses if (why := _why_unreachable(each))]
    if refused:
        said = "; ".join(refused)
        return problem(AREA, source.name, said, f"{fix}, or let this machine reach it")
    if not addresses:
        return note(AREA, source.name, "names no address that could be tried")
    return ok(AREA, source.name, f"{', '.join(map(str, addresses))} answers")


def _why_unreachable(address: Address) -> str:
    proxy = through_proxy(address)
    why = why_unreachable(proxy)
    return f"the proxy to {address}: {why}" if why and proxy != address else why


def _try_connection(source: Source, connection: Connection, fix: str) -> Finding:
    """Have Sling try a connection, as it does before a load."""
    text, secrets = connection.resolve()
    mask = SecretMask(secrets)
    arguments = ["conns", "test", connection.name]
    given = {connection.name.upper(): text}
    try:
        call_sling(find_binary(), arguments, given, as_json=False, seconds=SLING_SECONDS)
    except SlingNotFoundError as error:
        return problem(AREA, source.name, str(error), "`make setup`")
    except subprocess.TimeoutExpired:
        said = f"Sling has no answer within {SLING_SECONDS} s"
        return problem(AREA, source.name, said, f"{fix}, or let this machine reach it")
    except subprocess.CalledProcessError as error:
        said = mask(_last_words(f"{error.stdout}\n{error.stderr}"))
        return problem(AREA, source.name, said, fix)
    return ok(AREA, source.name, "Sling's test of the connection succeeds")


def _last_words(log: str) -> str:
    """Return the error at the end of Sling's log, without its colours and times."""
    lines = [ESCAPES.sub("", line).strip() for line in log.splitlines()]
    said = [PREFIX.sub("", line) for line in lines if line]
    return " ".join(said[-MOST_LINES:]) or "Sling's test of the connection fails"


def _read(path: Path, root: Path) -> Mapping[str, Any]:
    """Return what a file holds; `dp check` tells what is wrong with it."""
    file = read_yaml(path, root=root, problems=[]) if path.is_file() else None
    return file.data if file else {}
