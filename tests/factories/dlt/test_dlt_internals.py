"""The names of dlt and dagster-dlt that an upgrade may change: each fails here by its own name."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import dlt
import pytest
from dagster_dlt import DagsterDltResource
from dagster_dlt.dlt_event_iterator import DltEventIterator
from dlt.common.configuration.container import Container
from dlt.common.schema import Schema
from dlt.extract.extractors import ArrowExtractor
from dlt.normalize.items_normalizers import JsonLItemsNormalizer

from factories.dlt.dlt_internals import (
    OVERRIDDEN,
    READERS,
    RefusalRecorder,
    RowNaming,
    read_for,
    schema_paths,
)
from factories.dlt.event_iterator import DltPipelineEventIterator
from factories.dlt.resource import DltPipelineResource


@pytest.mark.parametrize(("module", "owner", "name"), OVERRIDDEN)
def test_method_that_is_overridden_exists(module: str, owner: str, name: str) -> None:
    assert callable(getattr(getattr(importlib.import_module(module), owner), name))


@pytest.mark.parametrize("name", READERS)
def test_reader_takes_a_list_of_files(name: str) -> None:
    assert next(iter(inspect.signature(READERS[name]).parameters)) == "items"
    assert list(READERS[name]([])) == []


def test_resource_knows_what_it_reads_from() -> None:
    users = dlt.resource([1], name="users")
    logins = users | dlt.transformer(lambda user: user, name="logins")

    assert read_for(users) == ["users"]
    assert read_for(logins) == ["logins", "users"]


def test_names_of_rows_are_those_that_dlt_gives_them() -> None:
    schema = Schema("shop")
    row = {"userId": 1, "a": {"B c": 2}, "": 3, "Kids": [{"x": 1}]}
    (_, columns), (child, _) = list(schema.normalize_data_item(row, "1", "things"))

    naming = RowNaming(schema)

    assert {naming.column("userId"), naming.path("a", naming.column("B c"))} <= set(columns)
    assert {naming.column(""), naming.load_id} <= set(columns)
    assert child[2] == (naming.table("Kids"),)
    assert naming.levels("things") == 1000
    assert not naming.is_json("things", "a", 1)
    assert naming.is_json("things", "a", 0)


def test_pipeline_knows_where_its_schemas_are(tmp_path: Path) -> None:
    folder = str(tmp_path / "schemas")
    pipeline = dlt.pipeline("p", pipelines_dir=str(tmp_path), export_schema_path=folder)

    assert schema_paths(pipeline) == {"import_schema_path": None, "export_schema_path": folder}


def test_dlt_is_as_before_once_a_load_is_recorded(tmp_path: Path) -> None:
    before = _patched()

    with Container().injectable_context(RefusalRecorder(str(tmp_path / "notes"))):
        during = _patched()

    assert all(new is not old for new, old in zip(during, before, strict=True))
    assert _patched() == before


def _patched() -> tuple[object, ...]:
    return (
        Schema.apply_schema_contract,
        JsonLItemsNormalizer.__call__,
        ArrowExtractor._apply_contract_filters,
    )


def test_classes_are_those_of_dagster_dlt() -> None:
    assert issubclass(DltPipelineResource, DagsterDltResource)
    assert issubclass(DltPipelineEventIterator, DltEventIterator)


@pytest.mark.parametrize("method", ["run", "extract_resource_metadata"])
def test_methods_take_what_dagster_dlt_gives_them(method: str) -> None:
    ours = inspect.signature(getattr(DltPipelineResource, method)).parameters
    theirs = inspect.signature(getattr(DagsterDltResource, method)).parameters

    assert [name for name in theirs if name not in ours] == []
