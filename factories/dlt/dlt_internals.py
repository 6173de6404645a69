"""Everything of dlt that is not part of its public interface, in one place.

An upgrade of dlt may change any of it: `tests/factories/dlt/test_dlt_internals.py` holds each name.

- `READERS`: the functions under dlt's transformers that read files.
- `read_for`: what a resource reads from, which dlt keeps nowhere else.
- `schema_paths`: where a pipeline imports and exports its schemas.
- `RowNaming`: what the fields of a row become, which dlt does on the way and tells nobody.
- `RefusalRecorder`: dlt's classes changed while one load is extracted and normalized, so that a run
  can show what schema contracts refuse. dlt builds these classes itself and takes no others, and
  has no hook there.
- `OVERRIDDEN`: methods that our subclasses of dlt's classes replace.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from pathlib import Path
from typing import Any, ClassVar, cast

import dlt
from dlt.common.configuration.specs import configspec
from dlt.common.configuration.specs.base_configuration import ContainerInjectableContext
from dlt.common.normalizers.json.relational import DataItemNormalizer
from dlt.common.schema import Schema
from dlt.extract import DltResource
from dlt.extract.extractors import ArrowExtractor
from dlt.normalize.items_normalizers import JsonLItemsNormalizer
from dlt.sources.filesystem.readers import _read_csv, _read_jsonl, _read_parquet

# ruff: noqa: SLF001 - see above

# So that each file is read on its own. Without read_csv_duckdb, which fails with DuckDB 2 as of
# dlt 1.31.
READERS: Mapping[str, Callable[..., Iterator[Any]]] = {
    "read_csv": _read_csv,
    "read_jsonl": _read_jsonl,
    "read_parquet": _read_parquet,
}
# Module, class and method that a subclass of ours overrides.
OVERRIDDEN = (
    ("dlt.destinations.impl.snowflake.snowflake", "SnowflakeClient", "_create_merge_followup_jobs"),
    ("dlt.destinations.impl.snowflake.snowflake", "SnowflakeMergeJob", "generate_sql"),
    ("dlt.destinations", "snowflake", "_raw_capabilities"),
    ("dlt.destinations", "snowflake", "configuration"),
    ("dlt.sources.sql_database.helpers", "BaseTableLoader", "make_query"),
    ("dlt.sources.sql_database.helpers", "BaseTableLoader", "load_rows"),
    ("dlt.common.runtime.collector_base", "Collector", "_start"),
    ("dlt.common.runtime.collector_base", "Collector", "_stop"),
    ("dlt.common.runtime.run_context", "RunContext", "initial_providers"),
)


def read_for(resource: DltResource) -> list[str]:
    """Return what is read for a resource: itself, what it reads from, what that reads from."""
    pipe = resource._pipe
    read = [resource.name]
    while pipe.parent is not None:
        pipe = pipe.parent
        read.append(pipe.name)
    return read


class RowNaming:
    """How dlt turns the fields of a row into columns and child tables."""

    def __init__(self, schema: Schema) -> None:
        """Take the schema, which knows what becomes JSON."""
        # The normalizer of rows is a setting of a schema; every one of dlt's is this class.
        normalizer = cast("DataItemNormalizer", schema.data_item_normalizer)
        self.path = schema.naming.shorten_fragments
        self.load_id = str(normalizer.c_dlt_load_id)
        self._normalizer = normalizer

    def column(self, name: str) -> str:
        """Return the column of a field, or its part of it."""
        if not name or name.isspace():
            return self._normalizer.EMPTY_KEY_IDENTIFIER
        return str(self._normalizer._normalize_identifier(name))

    def table(self, name: str) -> str:
        """Return the part that a field with a list has in the name of its child table."""
        return str(self._normalizer._normalize_table_identifier(name))

    def levels(self, table: str) -> int:
        """Return how deep the fields of a table's rows may be nested before they become JSON."""
        return int(
            self._normalizer._get_table_nesting_level(table, self._normalizer.max_nesting) or 0
        )

    def is_json(self, table: str, column: str, levels: int) -> bool:
        """Tell whether a nested field stays one column, of which so many levels are left."""
        return bool(self._normalizer._is_nested_type(table, column, levels))


def schema_paths(pipeline: dlt.Pipeline) -> dict[str, str | None]:
    """Return where a pipeline imports and exports its schemas, as arguments of `dlt.pipeline`."""
    config = pipeline._schema_storage_config
    return {
        "import_schema_path": config.import_schema_path,
        "export_schema_path": config.export_schema_path,
    }


@configspec
class RefusalRecorder(ContainerInjectableContext):
    """Notes in a file what contracts refuse: in this process, and in those that normalize for it.

    dlt returns what it refuses only from `Schema.apply_schema_contract`, and which rows it drops
    only to the generator that makes them. While this context is open, both are watched; when it is
    closed, dlt's classes are as before. Each note is one short write, so that several processes may
    share the file.
    """

    worker_affinity: ClassVar[bool] = True  # dlt hands it to the processes that it starts
    can_create_default: ClassVar[bool] = False

    path: str = ""

    def after_add(self) -> None:
        """Watch dlt's classes."""
        note = partial(_note, Path(self.path))
        Schema.apply_schema_contract = _note_refused(Schema.apply_schema_contract, note)  # type: ignore[method-assign]
        JsonLItemsNormalizer.__call__ = _note_dropped(JsonLItemsNormalizer.__call__, note)  # type: ignore[method-assign]
        ArrowExtractor._apply_contract_filters = _of_its_columns(  # type: ignore[method-assign]
            ArrowExtractor._apply_contract_filters
        )

    def before_remove(self) -> None:
        """Leave them as they were."""
        for owner, name in (
            (Schema, "apply_schema_contract"),
            (JsonLItemsNormalizer, "__call__"),
            (ArrowExtractor, "_apply_contract_filters"),
        ):
            setattr(owner, name, getattr(owner, name).__wrapped__)


_Note = Callable[[dict[str, Any]], None]


def _note(path: Path, note: dict[str, Any]) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(note).encode() + b"\n")


def _note_refused(apply: Callable[..., Any], note: _Note) -> Callable[..., Any]:
    noted = set()

    @wraps(apply)
    def apply_and_note(
        self: Schema, contract: Any, partial_table: Any, *args: Any, **kwargs: Any
    ) -> Any:
        table = partial_table["name"]
        above = partial_table.get("parent") or partial_table.get("resource")
        allowed, filters = apply(self, contract, partial_table, *args, **kwargs)
        for found in filters:
            refused = (table, *found)
            if refused not in noted:
                noted.add(refused)
                note({"refused": refused, "parent": above})
        return allowed, filters

    return apply_and_note


def _note_dropped(normalize: Callable[..., Any], note: _Note) -> Callable[..., Any]:
    @wraps(normalize)
    def apply_and_note(self: JsonLItemsNormalizer, file: str, root_table: str) -> Any:
        schema: Any = self.schema
        if not _has_contract(schema):
            return normalize(self, file, root_table)
        dropped: Counter[str] = Counter()
        schema.normalize_data_item = partial(_count_dropped, schema.normalize_data_item, dropped)
        try:
            return normalize(self, file, root_table)
        finally:
            del schema.normalize_data_item  # the class's own shows again
            if dropped:
                note({"rows": dropped})

    return apply_and_note


def _has_contract(schema: Schema) -> bool:
    contracts = [schema.settings, *schema.tables.values()]
    return any(each.get("schema_contract") not in (None, "evolve") for each in contracts)


def _count_dropped(rows_of: Callable[..., Any], dropped: Counter[str], *item: Any) -> Iterator[Any]:
    """Yield the rows of an item; the answer False says that the last one is dropped."""
    rows = rows_of(*item)
    descend = None
    while True:
        try:
            row = rows.send(descend)
        except StopIteration:
            return
        descend = yield row
        if descend is False:
            dropped[row[0][0]] += 1


def _of_its_columns(apply: Callable[..., Any]) -> Callable[..., Any]:
    """Let a refused column be missing in an Arrow table: dlt 1.31 then fails with a KeyError."""
    # Needs pyarrow, which a code location that loads must not import.
    from dlt.common.libs.pyarrow import get_normalized_arrow_fields_mapping  # noqa: PLC0415

    @wraps(apply)
    def filtered(self: Any, item: Any, *args: Any) -> Any:
        names = set(get_normalized_arrow_fields_mapping(item.schema, self.naming).values())
        refused = self._filtered_columns
        self._filtered_columns = {
            table: {name: mode for name, mode in columns.items() if name in names}
            for table, columns in refused.items()
        }
        try:
            return apply(self, item, *args)
        finally:
            self._filtered_columns = refused

    return filtered
