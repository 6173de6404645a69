"""What `dp run` prints at the end: a table of the assets, and why some failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from factories.cli.running.progress import AssetProgress

STYLES = {
    "materialized": "green",
    "failed": "red",
    "skipped": "yellow",
    "running": "cyan",
    "queued": "dim",
}


def print_summary(console: Console, results: Sequence[AssetProgress]) -> None:
    """Print the final table, and each error with the assets that it is about."""
    console.print(build_table(results))
    assets: dict[str, list[str]] = {}
    for result in results:
        if result.error:
            assets.setdefault(result.error, []).append(result.asset)
    for error, keys in assets.items():
        text = f"{', '.join(keys)}: {error}"
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def build_table(results: Iterable[AssetProgress], caption: str | None = None) -> Table:
    """Return the table of assets, with how each went."""
    table = Table(caption=caption, caption_justify="left")
    # In a narrow terminal a long key is folded, never a figure cut.
    table.add_column("asset", overflow="fold")
    for name in ("rows", "loaded", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status")
    for result in results:
        status = result.status
        if result.failed_checks:
            status = f"{status}, failed checks: {', '.join(result.failed_checks)}"
        table.add_row(
            result.asset,
            "" if result.rows is None else f"{result.rows:,}",
            "" if result.rows_loaded is None else f"{result.rows_loaded:,}",
            "" if result.seconds is None else f"{result.seconds:.1f}",
            status,
            style=STYLES.get(result.status)
            if result.ok or result.status != "materialized"
            else "red",
        )
    return table
