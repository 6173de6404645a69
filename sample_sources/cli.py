"""The command `dp sample`: looks after the demo's operational systems."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sample_sources.errors import SampleError
from sample_sources.systems import FLIGHT_OPS, SYSTEMS, WEATHER_API, SampleSystem

app = typer.Typer(
    help="The demo's operational systems: real data, on this machine.",
    no_args_is_help=True,
)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SYSTEM]...", help="Which systems; all if none named."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a machine to read.")]


@app.command()
def up(names: Names = None, as_json: AsJson = False) -> None:
    """Start the systems; the first start fills them with data."""
    with _errors_as_messages():
        urls = {}
        for system in _named(names):
            with _progress(system.name) as report:
                urls[system.name] = system.up(report)
    if as_json:
        _print_json([{"name": name, "url": url} for name, url in urls.items()])
    else:
        for name, url in urls.items():
            Console().print(f"[green]up[/] {name}  {url}", soft_wrap=True, highlight=False)


@app.command()
def down(names: Names = None, as_json: AsJson = False) -> None:
    """Stop the systems; their data stay."""
    with _errors_as_messages():
        stopped = {system.name: system.down() for system in _named(names)}
    if as_json:
        _print_json([{"name": name, "was_running": was} for name, was in stopped.items()])
    else:
        for name, was_running in stopped.items():
            Console().print(f"{name} " + ("stopped" if was_running else "was not running"))


@app.command()
def status(names: Names = None, as_json: AsJson = False) -> None:
    """Show what runs, the sample's clock and the rows of each table."""
    with _errors_as_messages():
        found = [system.status() for system in _named(names)]
    if as_json:
        _print_json([asdict(each) for each in found])
        return
    table = Table("system", "running", "clock", "table", "rows", box=None, pad_edge=False)
    table.columns[-1].justify = "right"
    for each in found:
        lead = [each.name, "yes" if each.running else "no", f"{each.clock or ''}"]
        for name, rows in each.rows.items() or [("", None)]:
            table.add_row(*lead, name, "" if rows is None else f"{rows:,}")
            lead = ["", "", ""]
    Console().print(table)
    for each in found:
        _print_faults(each.name, each.faults)


@app.command()
def reset(
    names: Names = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop the systems and delete their data; with flight_ops the clock goes back to its start."""
    with _errors_as_messages():
        systems = _named(names)
        listed = ", ".join(system.name for system in systems)
        if not yes:
            typer.confirm(f"Delete the data of {listed}?", abort=True, err=True)
        for system in systems:
            system.reset()
    if as_json:
        _print_json([{"name": system.name} for system in systems])
    else:
        Console().print(f"{listed}: data deleted")


@app.command()
def advance(
    days: Annotated[int, typer.Option("--days", min=1, help="How many days to move on.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Move the sample's clock on: every day brings flights and weather, and corrects flights."""
    with _errors_as_messages():
        with _progress(FLIGHT_OPS.name) as report:
            done = FLIGHT_OPS.advance(days, report)
        observations = WEATHER_API.observed(done.clock, days=days)
    if as_json:
        _print_json({**asdict(done), "observations": observations})
    else:
        Console().print(
            f"{done.added:,} flights added, {done.corrected:,} corrected; "
            f"{observations:,} weather observations; the clock shows {done.clock}",
            soft_wrap=True,
            highlight=False,
        )


@app.command()
def fault(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="weather_api.")],
    faults: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FAULT]...", help="Such as error:every=3; all others go off."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Switch all off.")] = False,
    as_json: AsJson = False,
) -> None:
    """Switch faults on that a system answers with; without FAULT, show which are on."""
    with _errors_as_messages():
        (system,) = _named([name])
        if system is not WEATHER_API:
            raise SampleError(f"{name} has no faults to switch on; {WEATHER_API.name} has.")
        if faults and clear:
            raise SampleError("Name faults or give --clear, not both.")
        switched = (
            WEATHER_API.switch_faults(faults or [])
            if faults or clear
            else WEATHER_API.switched_faults()
        )
    if as_json:
        _print_json({"name": name, "faults": switched})
    elif switched:
        _print_faults(name, switched)
    else:
        Console().print(f"{name} answers without faults")


def _named(names: list[str] | None) -> list[SampleSystem]:
    known = {system.name: system for system in SYSTEMS}
    if unknown := [name for name in names or () if name not in known]:
        raise SampleError(f"There is no sample system {unknown[0]!r}; there is {', '.join(known)}.")
    return [known[name] for name in names or known]


def _print_faults(name: str, faults: list[str]) -> None:
    if faults:
        said = escape(f"{name} answers with faults: {'; '.join(faults)}")
        Console().print(said, soft_wrap=True, highlight=False)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[str], None]]:
    """A spinner on a terminal; nothing where the output is read by a program."""
    with Console(stderr=True).status(f"{name}: looking") as spinner:
        yield lambda step: spinner.update(f"{name}: {step}")


@contextmanager
def _errors_as_messages() -> Iterator[None]:
    try:
        yield
    except (SampleError, psycopg.Error) as error:
        Console(stderr=True).print("[red]error:[/]", escape(str(error)), soft_wrap=True)
        raise typer.Exit(1) from error


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, default=lambda each: each.isoformat()))
