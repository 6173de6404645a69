"""What `dp status`, `dp ls` and `dp runs` print for people: tables that fit 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from factories.cli.looking.assets import ProjectAsset
from factories.cli.looking.runs import RunRow
from factories.cli.looking.status import AssetStatus

FRESHNESS = {"pass": "green", "warn": "yellow", "fail": "red", "unknown": "dim"}
RUN_STATUS = {"success": "green", "failure": "red", "started": "cyan", "canceled": "yellow"}
GAP = 2  # between columns
ASSET_JOB = "__ASSET_JOB"  # Dagster's own, for chosen assets


def print_statuses(console: Console, statuses: Sequence[AssetStatus], now: float) -> None:
    """Print a table of assets; below it what failed and why the others do not run."""
    rows = [
        (
            status.asset,
            _ago(status.last_success, now) if status.last_success else "never",
            "" if status.rows is None else f"{status.rows:,}",
            status.freshness or "",
            _until(status.next_tick, now) if status.next_tick else "",
        )
        for status in statuses
    ]
    heads = ("asset", "made", "rows", "fresh", "next tick")
    columns = list(zip(heads, *rows, strict=True))
    left = console.width - sum(GAP + max(map(len, column)) for column in columns[1:])
    table = _table()
    for name in heads:
        table.add_column(name, justify="right" if name == "rows" else "left", no_wrap=True)
    for key, made, count, fresh, tick in rows:
        shown = key if len(key) <= left else ""
        table.add_row(Text(shown), made, count, Text(fresh, FRESHNESS.get(fresh, "")), tick)
    with console.capture() as capture:
        console.print(table)
    lines = capture.get().splitlines()
    for line, row in zip(lines, [*[None] * (len(lines) - len(rows)), *rows], strict=True):
        if row and len(row[0]) > left:  # a long key has a line of its own, and stays whole
            console.print(Text(row[0]), soft_wrap=True)
        console.print(Text.from_ansi(line), soft_wrap=True)
    _print_groups(console, statuses, lambda status: _failure(status, now), "red")
    _print_groups(console, statuses, _checks, "red")
    _print_groups(console, statuses, lambda status: status.why, "")


def _failure(status: AssetStatus, now: float) -> str:
    error = status.last_error
    if error is None or error.mended:
        return ""
    return f"Failed {_ago(error.at, now)} in run {error.run[:8]}: {error.text}"


def _checks(status: AssetStatus) -> str:
    checks = status.failed_checks
    return f"Failed check{'s' if len(checks) > 1 else ''}: {', '.join(checks)}" if checks else ""


def _print_groups(
    console: Console,
    statuses: Iterable[AssetStatus],
    say: Callable[[AssetStatus], str],
    style: str,
) -> None:
    """Print each sentence once, and below it the assets that it is about."""
    about: dict[str, list[str]] = {}
    for status in statuses:
        if text := say(status):
            about.setdefault(text, []).append(status.asset)
    for text, keys in about.items():
        console.print(Text(text, style))
        console.print(Padding(Text(", ".join(keys), "dim"), (0, 0, 0, 2)))


def print_assets(console: Console, assets: Iterable[ProjectAsset]) -> None:
    """Print each asset as it is defined: its key and condition, its place, and what else is told.

    A line that is longer than the terminal is left to it, so that names and places stay whole.
    """
    for asset in assets:
        report = asset.report
        lines = [("  ".join([asset.key, _condition(asset)]).rstrip(), "")]
        lines += [(f"  {asset.place}", "dim")] if asset.place else []
        told = (
            f"group {asset.group}",
            f"location {asset.location}",
            ", ".join(report.kinds),
            ", ".join(report.owners),
        )
        lines += [(f"  {' · '.join(filter(None, told))}", "dim")]
        for text, style in lines:
            console.print(Text(text, style), soft_wrap=True)


def _condition(asset: ProjectAsset) -> str:
    condition = asset.report.condition
    if condition is None:
        return "" if asset.report.produced else "(not made here)"
    off = ["off here"] if condition.off else []
    return ", ".join([condition.name, *map(str, condition.crons), *off])


def print_runs(console: Console, runs: Sequence[RunRow]) -> None:
    """Print a table of runs; below it why some failed."""
    table = _table()
    table.add_column("run", no_wrap=True)
    table.add_column("at (UTC)", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("assets", justify="right", no_wrap=True)
    table.add_column("because", overflow="fold")
    for run in runs:
        table.add_row(
            run.run[:8],
            f"{datetime.fromisoformat(run.at):%Y-%m-%d %H:%M}",
            Text(run.status, RUN_STATUS.get(run.status, "")),
            "" if run.seconds is None else _span(run.seconds),
            str(run.assets),
            Text(_because(run)),
        )
    console.print(table)
    for run in runs:
        if run.error:
            console.print(Text(f"{run.run[:8]}: {run.error}", "red"))


def _because(run: RunRow) -> str:
    who = run.condition or run.launched_by
    who = who or ("launched by hand" if run.job == ASSET_JOB else run.job)
    where = f" ({run.location})" if run.location else ""
    cause = f": {run.cause}" if run.cause else ""
    partition = f", partition {run.partition}" if run.partition else ""
    return f"{who}{where}{cause}{partition}"


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)


def _ago(moment: str, now: float) -> str:
    return f"{_span(now - datetime.fromisoformat(moment).timestamp())} ago"


def _until(moment: str, now: float) -> str:
    return f"in {_span(datetime.fromisoformat(moment).timestamp() - now)}"


def _span(seconds: float) -> str:
    """Return a span of time in the unit that suits it."""
    for unit, size, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < size * most:
            return f"{max(0, int(seconds // size))} {unit}"
    return f"{int(seconds // 86400)} d"
