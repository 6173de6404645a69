"""`dp local`: control the embedded warehouse."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from local_snowflake.identity import PROJECT_ROOT
from local_snowflake.process import control

app = typer.Typer(help="Control the embedded warehouse.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def say_target() -> None:
    """Control the embedded warehouse."""
    chosen = os.environ.get("DP_TARGET") or "local"
    other = "" if chosen == "local" else f", not {chosen}, which DP_TARGET names"
    typer.echo(f"target: local{other}", err=True)


@app.command()
def up(as_json: AsJson = False) -> None:
    """Start it, if it does not run."""
    try:
        with Console(stderr=True).status("starting the embedded warehouse"):
            control.ensure_running()
    except control.LocalWarehouseError as error:
        _fail(error)
    _print(_status(), as_json)


@app.command()
def down(as_json: AsJson = False) -> None:
    """Stop it; its data stay."""
    try:
        was_running = control.stop()
    except control.LocalWarehouseError as error:
        _fail(error)
    if as_json:
        _print(_status(), as_json)
    else:
        Console().print("stopped" if was_running else "it was not running")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show whether it runs, where, and how many sessions are open."""
    _print(_status(), as_json)


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Stop it and delete all its databases."""
    folder = _status().folder
    if not yes:
        typer.confirm(f"Delete all databases in {folder}?", abort=True)
    try:
        control.reset()
    except control.LocalWarehouseError as error:
        _fail(error)
    Console().print("all databases deleted")


@app.command()
def docs() -> None:
    """Write the page of the functions, docs/reference/embedded-warehouse.md."""
    # The tables import what the server does, which only its environment has.
    command = [control.interpreter(), "-m", "local_snowflake.dialect.functions.coverage"]
    raise typer.Exit(subprocess.run(command, check=False, cwd=PROJECT_ROOT).returncode)


def _status() -> control.Status:
    try:
        return control.status()
    except control.LocalWarehouseError as error:
        _fail(error)


def _print(current: control.Status, as_json: bool) -> None:
    values = asdict(current)
    if as_json:
        typer.echo(json.dumps(values))
        return
    table = Table(show_header=False, box=None)
    for name, value in values.items():
        if value is not None:
            table.add_row(name.replace("_", " "), str(value))
    Console().print(table)


def _fail(error: control.LocalWarehouseError) -> NoReturn:
    Console(stderr=True).print(f"[red]{error}[/red]", soft_wrap=True)
    raise typer.Exit(1)
