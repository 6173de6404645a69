"""`dp doctor`: what keeps this machine from running the platform, and how to mend it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from factories.alerts.secrets import MessageMask
from factories.cli.doctor.environments import AREA as ENVIRONMENTS
from factories.cli.doctor.environments import look_at_environments
from factories.cli.doctor.findings import Finding, begin, findings_of, problem
from factories.cli.doctor.location_probe import Needs
from factories.cli.doctor.machine import DISK, INSTANCE, look_at_disk, look_at_instance
from factories.cli.doctor.settings import AREA as SETTINGS
from factories.cli.doctor.settings import look_at_settings
from factories.cli.doctor.sources import AREA as SOURCES
from factories.cli.doctor.warehouse import AREA as WAREHOUSE
from factories.cli.doctor.warehouse import look_at_warehouse
from factories.cli.workspace import (
    CodeLocation,
    LocationProcessError,
    read_workspace,
    run_in_location,
)
from factories.core.project import project_root
from factories.core.warehouse.settings import client_environment
from factories.core.yaml.problems import Problem

PROBE = "factories.cli.doctor.location_probe"
LOOK_SECONDS = 90
STYLES = {"ok": "green", "problem": "bold red", "note": "yellow"}


def examine(*, as_json: bool, least_gib: float) -> int:
    """Look at everything, print what was found, and return the exit status.

    Args:
        as_json: Whether to print data.
        least_gib: How many GiB must be free on the disks.
    """
    os.environ.update(client_environment())
    console = Console(stderr=True)
    with console.status("looking"):
        findings = look_at_everything(project_root(), least_gib)
    found = sum(each.state == "problem" for each in findings)
    if as_json:
        listed = [asdict(each) for each in findings]
        sys.stdout.write(f"{json.dumps({'problems': found, 'findings': listed})}\n")
    else:
        print_findings(findings, Console())
    return 1 if found else 0


def look_at_everything(root: Path, least_gib: float) -> list[Finding]:
    """Return what was found, all of it looked at at once."""
    mistakes: list[Problem] = []
    locations = read_workspace(root, mistakes)
    needs = {each.name: begin(partial(_probe, root, each)) for each in locations}
    looks: dict[str, Callable[[], Iterable[Finding]]] = {
        SETTINGS: lambda: [*look_at_settings(root)],
        ENVIRONMENTS: lambda: look_at_environments(root, locations),
        WAREHOUSE: lambda: [*look_at_warehouse(lambda: _databases(needs))],
        DISK: lambda: [*look_at_disk(root, least_gib)],
        INSTANCE: lambda: [*look_at_instance(root)],
    }
    begun = {area: begin(look) for area, look in looks.items()}
    found = [problem(ENVIRONMENTS, each.file, str(each), "`dp check`") for each in mistakes]
    until = time.monotonic() + LOOK_SECONDS
    for area, future in begun.items():
        found += findings_of(future, area, until)
    for need in needs.values():
        found += findings_of(begin(partial(_sources, need)), SOURCES, until)
    mask = MessageMask(os.environ)
    return [replace(each, said=mask(each.said)) for each in found]


def _probe(root: Path, location: CodeLocation) -> Needs:
    """Ask a code location what it needs; that it does not load is a finding, not an error."""
    try:
        arguments = ["-m", PROBE, location.module, location.attribute]
        text = run_in_location(root, location, arguments, {}, LOOK_SECONDS - 5)
    except LocationProcessError as error:
        said = str(error).splitlines()[-1].strip()
        found = problem(SOURCES, location.name, said, "`dp check` tells what is wrong with it")
        return Needs([], [found])
    return Needs.from_json(text)


def _sources(needs: Future[Needs]) -> list[Finding]:
    return needs.result().findings


def _databases(needs: Mapping[str, Future[Needs]]) -> set[str]:
    return {name for each in needs.values() for name in each.result().databases}


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print a row for each finding; below a problem, how to mend it."""
    table = Table("", "what", "found", box=None, padding=(0, 1))
    area = ""
    for each in findings:
        if each.area != area:
            area = each.area
            table.add_row("", f"[bold]{escape(area)}[/]", "")
        fix = f"\n[bold]→[/] {escape(each.fix)}" if each.fix else ""
        state = f"[{STYLES[each.state]}]{each.state}[/]"
        table.add_row(state, escape(each.what), f"{escape(each.said)}{fix}")
    console.print(table)
    found = sum(each.state == "problem" for each in findings)
    console.print(f"{found} problem{'' if found == 1 else 's'}" if found else "no problems")
