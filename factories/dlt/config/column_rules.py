"""Hints of columns, and keys, that dlt would pass over, with no more than a warning."""

from __future__ import annotations

from collections.abc import Callable

from factories.dlt.config.schema import ColumnHint, DltResource, WriteDisposition
from factories.dlt.decimals import MOST_DIGITS

# The types that an option says something of; without a type, that of the source counts.
OPTION_TYPES = {
    "precision": ("text", "binary", "timestamp", "time", "bigint", "decimal"),
    "scale": ("decimal",),
    "timezone": ("timestamp",),
}
ROW_HINTS = {"dedup_sort": ("delete-insert",), "hard_delete": ("delete-insert", "upsert", "cdc")}
KEY_STRATEGIES = ("delete-insert", "scd2", "cdc")  # those that look at merge_key
_Report = Callable[[list[str | int], str], None]


def check_columns(settings: DltResource, report: _Report) -> None:
    """Report hints of columns, and a merge_key, that would have no effect."""
    if settings.merge_key:
        _check_merge_key(settings, report)
    hints = settings.columns or {}
    for name, hint in hints.items():
        _check_type(name, hint, report)
    for option, strategies in ROW_HINTS.items():
        names = [name for name, hint in hints.items() if getattr(hint, option)]
        for name in names[1:]:
            message = f"{option}: one column may have it, and {names[0]} has it"
            report(["columns", name, option], message)
        for name in names[:1]:
            if (mistake := _row_hint_mistake(option, settings, strategies)) is not None:
                report(["columns", name, option], f"{option}: {mistake}")


def _check_merge_key(settings: DltResource, report: _Report) -> None:
    given = settings.write_disposition
    strategy = settings.strategy or "delete-insert"
    if settings.disposition != "merge":
        report(["merge_key"], "merge_key: only write_disposition merge takes it")
    elif strategy not in KEY_STRATEGIES and settings.primary_key:  # which they need
        message = f"merge_key: strategy {strategy} does not look at it, but at primary_key"
        report(["merge_key"], message)
    elif isinstance(given, WriteDisposition) and given.destination_scope is not None:
        report(["merge_key"], "merge_key: destination_scope says which rows may go, in its place")


def _row_hint_mistake(
    option: str, settings: DltResource, strategies: tuple[str, ...]
) -> str | None:
    given = settings.write_disposition
    if settings.disposition != "merge":
        return "only write_disposition merge takes it"
    if (settings.strategy or "delete-insert") not in strategies:
        return f"only strategy {' or '.join(strategies)} takes it"
    if option != "dedup_sort":
        return None
    if not settings.primary_key:
        return "it needs primary_key, which says what rows are the same"
    if isinstance(given, WriteDisposition) and given.deduplicated:
        return "deduplicated says that there is nothing to choose from"
    return None


def _check_type(name: str, hint: ColumnHint, report: _Report) -> None:
    for option, types in OPTION_TYPES.items():
        given = getattr(hint, option) is not None
        if given and hint.data_type is not None and hint.data_type not in types:
            message = f"{option}: {hint.data_type} has none, only {', '.join(types)}"
            report(["columns", name, option], message)
            return
    if hint.scale is not None and hint.precision is None:
        report(["columns", name, "scale"], "scale: it needs precision, the number of all digits")
    elif hint.data_type == "decimal" and hint.precision is not None and hint.scale is None:
        message = "precision: a decimal needs scale too, the digits after the point: 0 for none"
        report(["columns", name, "precision"], message)
    elif hint.data_type == "decimal" and hint.precision is not None and hint.scale is not None:
        if not 1 <= hint.precision <= MOST_DIGITS:
            message = f"precision: must be from 1 to {MOST_DIGITS}, not {hint.precision}"
            report(["columns", name, "precision"], message)
        elif not 0 <= hint.scale <= hint.precision:
            message = f"scale: must be from 0 to precision, {hint.precision}, not {hint.scale}"
            report(["columns", name, "scale"], message)
