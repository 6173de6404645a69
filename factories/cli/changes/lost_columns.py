"""The columns that assets lose by a change, what is made of them, and who still asks for them.

What a dbt model's columns are made of is read from its SQL (`factories/dbt/compiled_columns.py`);
of other assets, those columns are known that their YAML declares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from factories.cli.changes.words import name_some

Assets = Mapping[str, Mapping[str, Any]]  # what `location_snapshot` tells of them, by key
Tables = Mapping[str, Mapping[str, Any]]  # what `compiled_columns` tells of them, by table
Made = tuple[str, str]  # a table and its column
STILL_READ = {
    "gone": "which is gone: it will fail",
    "fails": "which is gone: it will fail",
    "kept": "which gets no new values, and is missing where the table is made anew",
}


@dataclass(frozen=True)
class Build:
    """The assets and tables of all locations, at one commit.

    Attributes:
        assets: What the definitions say of them, by key.
        tables: What the SQL of dbt's nodes says of their tables: of what a change touches, and of
            what is downstream.
    """

    assets: Assets
    tables: Tables = field(default_factory=dict)

    def columns(self, key: str) -> list[str] | None:
        """Return the columns of an asset, as its SQL says; None when that is not known."""
        found = self.tables.get(self.assets[key]["table"])
        return None if found is None or found["columns"] is None else [*found["columns"]]


def find_losses(old: Build, new: Build) -> Iterator[tuple[str, str]]:
    """Yield what is lost: an asset's key, and a line about it."""
    losses = {key: _lost(key, old, new) for key in new.assets if key in old.assets}
    readers = _readers(old.tables)
    for key, lost in losses.items():
        if lost:
            yield from ((key, text) for text in _lines(key, lost, old, new, readers))
        if undescribed := _undescribed(key, old, new):
            yield key, f"its YAML no longer describes {name_columns(undescribed)}"
    yield from _failures(losses, old, new)


def find_unknown(old: Tables, new: Tables, keys: Mapping[str, str]) -> dict[str, str]:
    """Return the assets whose columns cannot be told without the warehouse, and why.

    Args:
        old: The tables before.
        new: The tables after.
        keys: The assets, by table.
    """
    return {
        keys[table]: found["why"]
        for table, found in {**old, **new}.items()
        if table in keys and found["columns"] is None
    }


def name_columns(names: Iterable[str]) -> str:
    """Return the words for some columns, as SQL would name them."""
    return _columns([column_name(name) for name in names])


def _columns(shown: list[str]) -> str:
    return f"the column {shown[0]}" if len(shown) == 1 else f"the columns {', '.join(shown)}"


def column_name(stored: str) -> str:
    """Return how a person writes a column: in small letters what needs no quotes."""
    plain = stored.replace("_", "A").replace("$", "A").isalnum()
    if plain and stored == stored.upper():
        return stored.lower()
    return stored if plain and stored == stored.lower() else f'"{stored}"'


def _lost(key: str, old: Build, new: Build) -> list[str]:
    before, after = old.columns(key), new.columns(key)
    if before is not None and after is not None:
        return [column for column in before if column not in after]
    declared = new.assets[key]["columns"]
    gone = [column for column in old.assets[key]["columns"] if column not in declared]
    return gone if declared else []


def _undescribed(key: str, old: Build, new: Build) -> list[str]:
    """Return the columns that YAML described, and the SQL alone still has."""
    after = new.columns(key)
    if old.columns(key) is None or after is None:
        return []
    kept = {column.upper() for column in after}
    declared = new.assets[key]["columns"]
    before = old.assets[key]["columns"]
    return [column for column in before if column not in declared and column.upper() in kept]


def _readers(tables: Tables) -> Mapping[Made, list[Made]]:
    """Return the columns that are made of each column directly."""
    readers: defaultdict[Made, list[Made]] = defaultdict(list)
    for table, found in tables.items():
        for column, deps in (found["columns"] or {}).items():
            for dep_table, dep in deps:
                readers[dep_table, dep].append((table, column))
    return readers


def _lines(
    key: str, lost: list[str], old: Build, new: Build, readers: Mapping[Made, list[Made]]
) -> Iterator[str]:
    """Yield a line for each lost column that others are made of, and one for the rest."""
    table = old.assets[key]["table"]
    keys = {facts["table"]: name for name, facts in old.assets.items() if name in new.assets}
    rest = _rest(key, new)
    loses = "no longer fills" if _when_lost(key, new) == "kept" else "loses"
    unread = []
    for column in lost:
        made = _made_of((table, _stored(column, key, old)), readers, keys)
        now = _renamed(column, key, old, new)
        if not made:
            unread.append(column_name(column) + (f" (now {column_name(now)})" if now else ""))
            continue
        models = [f"{name} ({', '.join(map(column_name, columns))})" for name, columns in made]
        verb = "is" if len(models) == 1 else "are"
        known_as = f", now {column_name(now)}," if now else ","
        text = (
            f"{loses} {name_columns([column])}{known_as} which {name_some(models)} {verb} made of"
        )
        yield text + rest
    if unread:
        yield f"{loses} {_columns(unread)}{rest}"


def _stored(column: str, key: str, old: Build) -> str:
    """Return a column as the warehouse stores it: one that YAML alone declares needs no quotes."""
    return column if old.columns(key) is not None else column.upper()


def _rest(key: str, new: Build) -> str:
    """Return what else a reviewer has to know of a lost column."""
    fails = _when_lost(key, new) == "fails"
    text = "; its own run fails until it is refreshed in full" if fails else ""
    others = [
        name
        for name, reader in new.assets.items()
        if key in reader["reads"] and not reader["node"] and reader["produced"]
    ]
    if others:
        text += f"; {name_some(others)} may need it"
    return text


def _when_lost(key: str, new: Build) -> str:
    found = new.tables.get(new.assets[key]["table"], {})
    return str(found.get("when_lost", "gone"))


def _made_of(
    start: Made, readers: Mapping[Made, list[Made]], keys: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    """Return the assets and their columns that are made of a column, the nearest first."""
    found: dict[str, list[str]] = {}
    seen = {start}
    waiting = [start]
    while waiting:
        for reader in readers.get(waiting.pop(0), ()):
            if reader not in seen:
                seen.add(reader)
                waiting.append(reader)
                if reader[0] in keys:
                    found.setdefault(keys[reader[0]], []).append(reader[1])
    return [*found.items()]


def _renamed(column: str, key: str, old: Build, new: Build) -> str | None:
    """Return the new column that has the SQL of a lost one, and is made of the same columns."""
    before, after = (_made(build, key) for build in (old, new))
    if column not in before:
        return None
    alike = [name for name in after if name not in before and after[name] == before[column]]
    same = [name for name in before if name not in after and before[name] == before[column]]
    return alike[0] if len(alike) == 1 and same == [column] else None


def _made(build: Build, key: str) -> dict[str, tuple[str, Any]]:
    """Return the SQL of an asset's columns, and what each is made of."""
    found = build.tables.get(build.assets[key]["table"], {})
    deps = found.get("columns") or {}
    return {name: (sql, deps[name]) for name, sql in found.get("expressions", {}).items()}


def _failures(losses: Mapping[str, list[str]], old: Build, new: Build) -> Iterator[tuple[str, str]]:
    """Yield the assets whose SQL still names a column that is gone."""
    tables = {
        new.assets[key]["table"]: {_stored(column, key, old) for column in lost}
        for key, lost in losses.items()
    }
    keys = {facts["table"]: key for key, facts in new.assets.items()}
    for table, found in new.tables.items():
        for name, candidates in found["lacking"]:
            for of in candidates:
                if table in keys and name in tables.get(of, ()):
                    lost = new.tables.get(of, {"name": keys[of], "when_lost": "gone"})
                    still = STILL_READ[lost["when_lost"]]
                    yield keys[table], f"reads {lost['name']}.{column_name(name)}, {still}"
