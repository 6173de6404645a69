"""Reading areas: from `snowpark/*.yaml` to entries that still name each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.assets.blocks import MetaBlocks, variables_in
from factories.core.assets.context import LoadContext, Origin, duplicate_key_problem
from factories.core.meta.check_specs import check_names
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.meta.keys import key_part, parse_key
from factories.core.python_refs.references import FunctionError, call_problem, locate_function_error
from factories.core.yaml.models import SourceMap, validate, validate_partly
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import KeyPath, YamlFile, display_name, read_yaml, yaml_paths
from factories.snowpark.config.code_versions import FolderCode, code_version, read_code
from factories.snowpark.config.relations import name_lock, name_registry, parse_table
from factories.snowpark.config.rules import build_reporter, check_model, check_score, check_table
from factories.snowpark.config.schema import (
    NAME,
    AreaFile,
    Defaults,
    FeatureItem,
    Kind,
    ModelItem,
    ScoreItem,
    TableItem,
)

Item = FeatureItem | TableItem | ModelItem | ScoreItem
ITEMS: Mapping[Kind, type[Item]] = {
    "features": FeatureItem,
    "models": ModelItem,
    "scores": ScoreItem,
    "tables": TableItem,
}
SNOWPARK = "snowpark"
ARGUMENTS: Mapping[Kind, tuple[str, str]] = {
    "features": ("session", "inputs"),
    "models": ("training_data", "params"),
    "scores": ("model", "features"),
    "tables": ("session", "inputs"),
}


@dataclass(frozen=True)
class Draft:
    """One entry whose own settings are right; what it names has still to be looked up.

    Attributes:
        item: What YAML says of it, with the file's defaults.
        kind: The list that it stands in.
        key: The asset that it makes.
        meta: Its `meta.dagster` block.
        origin: Its place in the file.
        places: Where its settings are written.
        code_version: Changes with the settings and the code that its rows or model depend on.
    """

    item: Item
    kind: Kind
    key: dg.AssetKey
    meta: DagsterMeta
    origin: Origin
    places: SourceMap
    code_version: str


@dataclass(frozen=True)
class AreaDraft:
    """One file.

    Attributes:
        name: The area.
        path: The file.
        folder: The folder `snowpark/`.
        drafts: The entries that are right so far, in the file's order.
        named: Every name that the file gives, by list: also of entries that have mistakes.
    """

    name: str
    path: Path
    folder: Path
    drafts: tuple[Draft, ...]
    named: Mapping[Kind, tuple[str, ...]]


def read_files(folder: Path, load_context: LoadContext) -> list[AreaDraft]:
    """Read every file of a `snowpark/` folder; mistakes go to `load_context.problems`."""
    code = read_code(folder, load_context)
    areas = [area for path in yaml_paths(folder) if (area := _read(path, code, load_context))]
    first: dict[str, AreaDraft] = {}
    for area in areas:
        other = first.setdefault(area.name, area)
        if other is not area:
            message = f"{other.path.name} describes this area: one file describes it"
            load_context.problems.append(
                Problem(display_name(area.path, load_context.root), 0, 0, message)
            )
    return areas


def _read(path: Path, code: FolderCode, load_context: LoadContext) -> AreaDraft | None:
    file = read_yaml(
        path,
        root=load_context.root,
        problems=load_context.problems,
        keep_nodes=True,
        holds="features, models, scores or tables",
    )
    if file is None:
        return None
    if not NAME.fullmatch(path.stem):
        message = f"the file's name is the area: {path.stem!r} must be lower-case letters, digits"
        load_context.problems.append(Problem(file.name, 0, 0, f"{message} and _"))
    needed = ["defaults", *ITEMS]
    model = validate_partly(
        AreaFile, file.data, SourceMap(file, []), load_context.problems, needed=needed
    )
    if model is None:
        return None
    lists: dict[Kind, tuple[dict[str, Any], ...]] = {
        kind: getattr(model, kind) for kind in ITEMS if getattr(model, kind)
    }
    named = {kind: tuple(str(i.get("name")) for i in items) for kind, items in lists.items()}
    reader = _Reader(file, code, load_context)
    if model.models:
        reader.claim_registry()
    drafts = tuple(reader.drafts(model.defaults, lists))
    return AreaDraft(key_part(path.stem), path, code.folder, drafts, named)


@dataclass(frozen=True)
class _Reader:
    """Reads the entries of one file.

    Attributes:
        file: The file.
        code: The code of the folder that it lies in.
        load_context: Receives the problems, and what is claimed.
    """

    file: YamlFile
    code: FolderCode
    load_context: LoadContext

    def claim_registry(self) -> None:
        """Note the tables of the registry of the file's models, which no entry may write."""
        registry = name_registry(self.file.path.stem, self.load_context.names)
        here = Origin(self.file.name, *self.file.position(["models"], at_key=True))
        for table in (str(registry), str(name_lock(registry))):
            there = self.load_context.tables.setdefault(table, here)
            if there is not here:
                message = f"the table {table} is of the models' registry: {there} must not load it"
                problem = Problem(self.file.name, here.line, here.column, message)
                self.load_context.problems.append(problem)

    def drafts(
        self, defaults: Mapping[str, Any], lists: Mapping[Kind, tuple[dict[str, Any], ...]]
    ) -> Iterator[Draft]:
        """Yield the entries that are right; the mistakes of others go to the load context."""
        problems = self.load_context.problems
        general = validate(Defaults, defaults, SourceMap(self.file, ["defaults"]), problems)
        given = general.model_dump(exclude_unset=True, exclude={"meta"}) if general else {}
        metas = MetaBlocks(self.file, defaults.get("meta"), self.load_context)
        first: dict[str, Origin] = {}
        for kind, items in lists.items():
            takes = {key: val for key, val in given.items() if key in ITEMS[kind].model_fields}
            for index, own in enumerate(items):
                at: KeyPath = [kind, index]
                config = {key: value for key, value in own.items() if key != "meta"}
                problems.extend(variables_in(self.file, config, at, SNOWPARK))
                config = {**takes, **config}
                places = SourceMap(self.file, at, ["defaults"])
                item = validate(ITEMS[kind], config, places, problems)
                meta = metas.of(at, own.get("meta"))
                if item is None or meta is None:
                    continue
                origin = Origin(self.file.name, *self.file.position(at))
                other = first.setdefault(item.name, origin)
                if other is not origin:
                    message = f"name: {item.name} is also the entry at {other}: give another"
                    problems.append(places.problem(["name"], message))
                    continue
                _check(item, meta, places, self.load_context)
                version = code_version(item, meta.partition, self._code_of(item, kind, places))
                key = self._key(item, meta, metas.places(at), origin)
                yield Draft(item, kind, key, meta, origin, places, version)

    def _key(self, item: Item, meta: DagsterMeta, places: SourceMap, origin: Origin) -> dg.AssetKey:
        key = dg.AssetKey(["ml", key_part(self.file.path.stem), item.name])
        if meta.asset_key:
            key = parse_key(meta.asset_key)
        if key.to_user_string() in meta.deps:
            message = f"deps: {key.to_user_string()} cannot depend on itself"
            self.load_context.problems.append(places.problem(["deps"], message))
        if not isinstance(item, ModelItem):
            table = parse_table(item.output.table, self.load_context.names)
            checks = check_names(meta.checks)
            self.load_context.claim(key, str(table), origin, checks=checks)
        elif (first := self.load_context.produced.setdefault(key, origin)) is not origin:
            self.load_context.problems.append(duplicate_key_problem(key, first, origin))
        return key

    def _code_of(self, item: Item, kind: Kind, places: SourceMap) -> str:
        """Check an entry's function, and return what stands for its code; for a query, nothing."""
        if item.function is None:
            return ""
        place = [*places.bases[0], "function"]
        try:
            function = self.code.find(item.function)
        except FunctionError as error:
            self.load_context.problems.append(locate_function_error(self.file, place, error))
            return ""
        problem = call_problem(self.file, place, function, ARGUMENTS[kind])
        if problem is not None:
            self.load_context.problems.append(problem)
        return self.code.digest_for(function)


def _check(item: Item, meta: DagsterMeta, places: SourceMap, load_context: LoadContext) -> None:
    report = build_reporter(places, load_context.problems)
    if isinstance(item, ModelItem):
        check_model(item, meta, report)
    elif isinstance(item, ScoreItem):
        check_score(item, meta, report)
    else:
        check_table(item, meta, report)
