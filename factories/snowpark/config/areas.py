"""From what one folder's files say to entries in which every name is looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, cast

import dagster as dg

from factories.core.assets.context import LoadContext
from factories.core.meta.keys import parse_key
from factories.core.warehouse.names import Relation
from factories.core.yaml.problems import Problem, nearest
from factories.snowpark.config.entries import Entry, Input, ModelEntry, ScoreEntry, TableEntry
from factories.snowpark.config.files import AreaDraft, Draft, read_files
from factories.snowpark.config.relations import (
    CONVENTION,
    find_relation,
    name_registry,
    name_stage,
    parse_table,
)
from factories.snowpark.config.schema import (
    FeatureItem,
    InputOptions,
    ModelItem,
    ScoreItem,
    TableItem,
)


@dataclass(frozen=True)
class Area:
    """One file.

    Attributes:
        name: The area: the file's name without its ending.
        path: The file.
        tables: Features and other tables; each comes after those that it reads.
        models: Its models.
        scores: Its scores.
    """

    name: str
    path: Path
    tables: tuple[TableEntry, ...]
    models: tuple[ModelEntry, ...]
    scores: tuple[ScoreEntry, ...]


def read_areas(folder: Path, load_context: LoadContext) -> list[Area]:
    """Read every file of a `snowpark/` folder; mistakes go to `load_context.problems`."""
    drafts = read_files(folder, load_context)
    made = {
        draft.key: None
        if isinstance(draft.item, ModelItem)
        else parse_table(draft.item.output.table, load_context.names)
        for area in drafts
        for draft in area.drafts
    }
    with_mistakes = {
        dg.AssetKey(["ml", area.name, name])
        for area in drafts
        for names in area.named.values()
        for name in names
    } - set(made)
    areas = [_Lookup(area, made, with_mistakes, load_context).area() for area in drafts]
    load_context.problems.extend(_find_circle(areas))
    return areas


@dataclass(frozen=True)
class _Lookup:
    """Looks up what the entries of one file name.

    Attributes:
        file: The file.
        made: What the folder's files make, and its table; None for a model.
        with_mistakes: What they would make, without mistakes that are already reported.
        load_context: Receives the problems.
    """

    file: AreaDraft
    made: Mapping[dg.AssetKey, Relation | None]
    with_mistakes: set[dg.AssetKey]
    load_context: LoadContext

    def area(self) -> Area:
        tables = {
            draft.item.name: self._table(draft, draft.item)
            for draft in self.file.drafts
            if isinstance(draft.item, FeatureItem | TableItem)
        }
        features = {name: table for name, table in tables.items() if table.kind == "features"}
        models = {
            draft.item.name: model
            for draft in self.file.drafts
            if isinstance(draft.item, ModelItem)
            and (model := self._model(draft, draft.item, features))
        }
        scores = [
            score
            for draft in self.file.drafts
            if isinstance(draft.item, ScoreItem)
            and (score := self._score(draft, draft.item, models))
        ]
        ordered = tuple(_sort_tables(list(tables.values())))
        return Area(self.file.name, self.file.path, ordered, (*models.values(),), (*scores,))

    def _common(self, draft: Draft) -> dict[str, Any]:
        item = draft.item
        return {
            "name": item.name,
            "kind": draft.kind,
            "area": self.file.name,
            "key": draft.key,
            "meta": draft.meta,
            "path": self.file.path,
            "line": draft.origin.line,
            "folder": self.file.folder,
            "description": item.description,
            "function": item.function,
            "runs_in": getattr(item, "runs_in", "snowflake"),
            "packages": item.packages,
            "warehouse": item.warehouse,
            "code_version": draft.code_version,
        }

    def _table(self, draft: Draft, item: FeatureItem | TableItem) -> TableEntry:
        inputs = {
            name: found
            for name, given in item.inputs.items()
            if (found := self._input(draft, name, given))
        }
        return TableEntry(
            **self._common(draft),
            inputs=inputs,
            relation=parse_table(item.output.table, self.load_context.names),
            mode=item.output.mode,
            keys=item.output.keys,
            sql=item.sql if isinstance(item, TableItem) else None,
        )

    def _input(self, draft: Draft, name: str, given: str | InputOptions) -> Input | None:
        options = InputOptions(asset=given) if isinstance(given, str) else given
        key = parse_key(options.asset)
        text = options.asset
        at = ["inputs", name]

        def wrong(message: str, **details: Any) -> None:
            self.load_context.problems.append(
                draft.places.problem(at, f"inputs: {message}", **details)
            )

        own = self.made.get(key)
        if key == draft.key:
            wrong(f"{text} cannot read itself")
        elif key in self.with_mistakes:
            return None  # its own mistake is reported already
        elif own is not None:
            if options.table and parse_table(options.table, self.load_context.names) != own:
                wrong(f"{text} is written to {own}: leave out table")
            return Input(key, own, options.whole)
        elif key in self.made:
            wrong(f"{text} is a model: it has no table to read")
        elif options.table:
            relation = parse_table(options.table, self.load_context.names)
            return Input(key, relation, options.whole)
        elif found := find_relation(key, self.load_context.names):
            return Input(key, found, options.whole)
        elif key.path[0] == "ml":
            known = [k.to_user_string() for k, table in self.made.items() if table]
            wrong(f"nothing in snowpark/ makes {text}", nearest=nearest(text, known))
        else:
            message = f"no convention gives the table of {text}: give {{asset: …, table: …}}"
            wrong(message, allowed=CONVENTION)
        return None

    def _model(
        self, draft: Draft, item: ModelItem, features: Mapping[str, TableEntry]
    ) -> ModelEntry | None:
        found = features.get(item.features)
        if found is None:
            self._unknown(draft, "features", item.features, features)
            return None
        names = self.load_context.names
        return ModelEntry(
            **self._common(draft),
            features=found,
            target=item.target,
            split=item.split,
            params=item.params,
            metrics=item.metrics,
            promote=item.promote,
            registry=name_registry(self.file.name, names),
            stage=name_stage(self.file.name, names),
        )

    def _score(
        self, draft: Draft, item: ScoreItem, models: Mapping[str, ModelEntry]
    ) -> ScoreEntry | None:
        found = models.get(item.model_name)
        if found is None:
            self._unknown(draft, "models", item.model_name, models)
            return None
        return ScoreEntry(
            **self._common(draft),
            model=found,
            version=item.version,
            relation=parse_table(item.output.table, self.load_context.names),
            mode=item.output.mode,
            keys=item.output.keys,
            column=item.output.column,
        )

    def _unknown(self, draft: Draft, kind: str, name: str, known: Mapping[str, Entry]) -> None:
        """Report a name that the file does not have, unless its own mistake is reported already."""
        if name in self.file.named.get(cast("Any", kind), ()):
            return
        at: list[str | int] = ["features"] if kind == "features" else ["model"]
        if kind == "models" and draft.places.file.has([*draft.places.bases[0], "model", "name"]):
            at = ["model", "name"]
        message = f"{at[0]}: {name!r} is not among the file's {kind}"
        allowed = tuple(known)
        problem = draft.places.problem(at, message, allowed=allowed, nearest=nearest(name, allowed))
        self.load_context.problems.append(problem)


def find_upstream(entry: Entry) -> list[dg.AssetKey]:
    """Return the assets that an entry is made from."""
    if isinstance(entry, TableEntry):
        return list(dict.fromkeys(found.key for found in entry.inputs.values()))
    if isinstance(entry, ModelEntry):
        return [entry.features.key]
    assert isinstance(entry, ScoreEntry)  # noqa: S101 - there is no other kind
    return [entry.model.key, entry.model.features.key]


def _sort_tables(tables: list[TableEntry]) -> Iterator[TableEntry]:
    """Yield tables after those that they read; otherwise in the file's order."""
    by_key = {table.key: table for table in tables}
    done: set[dg.AssetKey] = set()

    def visit(table: TableEntry) -> Iterator[TableEntry]:
        if table.key not in done:
            done.add(table.key)  # in a circle, which is a problem of its own, too
            for key in find_upstream(table):
                if key in by_key:
                    yield from visit(by_key[key])
            yield table

    for table in tables:
        yield from visit(table)


def _find_circle(areas: list[Area]) -> Iterator[Problem]:
    entries: dict[dg.AssetKey, tuple[Area, Entry]] = {
        entry.key: (area, entry)
        for area in areas
        for entry in (*area.tables, *area.models, *area.scores)
    }
    graph = {key: [k for k in find_upstream(e) if k != key] for key, (_, e) in entries.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))[1:]
        first = circle.index(min(circle))
        way = [*circle[first:], *circle[: first + 1]]
        area, entry = entries[way[0]]
        name = f"{area.path.parent.name}/{area.path.name}"
        text = ", which reads ".join(key.to_user_string() for key in way[1:])
        message = f"{way[0].to_user_string()} reads {text}: that is a circle"
        yield Problem(name, entry.line, 1, message)
