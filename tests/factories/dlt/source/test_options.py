"""What the options of merging, of cursors and of files do to the rows that are loaded."""

from __future__ import annotations

import json
from typing import Any

import dlt
import pytest
from dlt.common.pipeline import LoadInfo

from factories.dlt.config.schema import Incremental
from factories.dlt.source.row_cursor import add_cursor
from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

# One package: what is read once is given to every resource, to each its own rows.
SHOP = """
    import dlt

    @dlt.source
    def shop(rows, lagging):
        @dlt.resource
        def given():
            yield rows

        def of(name):
            return dlt.transformer(lambda page: page[name], data_from=given, name=name)

        return [*(of(name) for name in rows), dlt.resource(lambda: lagging, name="lagging")]
"""
OPTIONS = {
    "insert_only": "{disposition: merge, strategy: insert-only}, primary_key: id",
    "cdc": "{disposition: merge, strategy: cdc}, primary_key: id",
    "scoped": "{disposition: merge, strategy: cdc, destination_scope: day > 1}, primary_key: id",
    "by_day": "merge, merge_key: day",
    "unchanged": (
        "{disposition: merge, strategy: upsert, skip_unchanged_rows: true}, primary_key: id"
    ),
    "filtered": "{disposition: merge, source_filter: id > 2}, primary_key: id",
    "repeated": "{disposition: merge, deduplicated: true}, primary_key: id",
    "latest": "merge, primary_key: id, columns: {v: {dedup_sort: desc}}",
    "marked": "merge, primary_key: id, columns: {gone: {hard_delete: true, data_type: bool}}",
    "history": "{disposition: merge, strategy: scd2, validity_column_names: [since, until]}",
    "lagging": "merge, primary_key: id, incremental: {cursor_path: at, lag: 3}",
}


def rows(*found: tuple[int, int, int], **more: Any) -> list[dict[str, Any]]:
    return [{"id": n, "day": day, "v": v, **more} for n, day, v in found]


FIRST = rows((1, 1, 1), (2, 1, 1), (3, 2, 1))
SECOND = rows((2, 1, 2), (3, 2, 1), (4, 3, 1))
# Where every row of the first load is replaced or stays by its key alone.
MERGED = {1: 1, 2: 2, 3: 1, 4: 1}


def write(project: Project, every: list[dict[str, Any]], **own: Any) -> None:
    project.module(SHOP)
    given = {name: own.get(name, every) for name in OPTIONS}
    args = json.dumps({"lagging": given.pop("lagging"), "rows": given})
    resources = "".join(f"  {n}: {{write_disposition: {o}}}\n" for n, o in OPTIONS.items())
    project.pipeline(f'source: {{python: "shop:shop", args: {args}}}\nresources:\n{resources}')


def values(project: Project, table: str, condition: str = "true") -> list[tuple[int, int]]:
    found = project.rows(f"select id, v from {{d}}.{table} where {condition} order by id, v")
    return [(int(str(n)), int(str(v))) for n, v in found]


def test_options_do_what_their_names_say(project: Project) -> None:
    write(
        project,
        FIRST,
        marked=rows((1, 1, 1), (2, 1, 1), gone=False),
        lagging=[{"id": n, "v": 1, "at": n} for n in (5, 8, 10)],
    )
    first = project.run()
    assert first.success, project.failure()
    load_ids = [materialized(first)["unchanged"]["dlt/load_id"]]
    write(
        project,
        SECOND,
        repeated=[*SECOND, *rows((4, 3, 7))],
        latest=rows((2, 1, 5), (2, 1, 9), (2, 1, 7)),
        marked=[*rows((2, 1, 2), gone=True), *rows((3, 2, 1), gone=False)],
        lagging=[{"id": n, "v": 2, "at": n} for n in (5, 8, 11)],
    )

    again = project.run()

    assert again.success, project.failure()
    assert dict(values(project, "insert_only")) == {1: 1, 2: 1, 3: 1, 4: 1}
    assert dict(values(project, "cdc")) == {2: 2, 3: 1, 4: 1}
    assert dict(values(project, "scoped")) == MERGED
    assert dict(values(project, "by_day")) == {2: 2, 3: 1, 4: 1}
    assert dict(values(project, "unchanged")) == MERGED
    assert dict(values(project, "unchanged", f"_dlt_load_id = '{load_ids[0]}'")) == {1: 1, 3: 1}
    assert dict(values(project, "filtered")) == {3: 1, 4: 1}
    assert values(project, "repeated") == [(1, 1), (2, 2), (3, 1), (4, 1), (4, 7)]
    assert dict(values(project, "latest")) == {1: 1, 2: 9, 3: 1}
    assert dict(values(project, "marked")) == {1: 1, 3: 1}
    assert values(project, "history", "until is null") == [(2, 2), (3, 1), (4, 1)]
    assert values(project, "history", "until is not null") == [(1, 1), (2, 1)]
    assert dict(values(project, "lagging")) == {5: 1, 8: 2, 10: 1, 11: 2}

    refreshed = project.full_refresh("dlt__shop", "history", "insert_only")

    assert refreshed.success, project.failure()
    assert dict(values(project, "insert_only")) == {2: 2, 3: 1, 4: 1}
    assert values(project, "history", "until is not null") == [(1, 1), (2, 1)]


@pytest.mark.parametrize(("choice", "expected"), [("include", [1, 2]), ("exclude", [1])])
def test_row_without_the_cursors_field_is_treated_as_chosen(
    choice: str, expected: list[int]
) -> None:
    resource = dlt.resource([{"id": 1, "at": 1}, {"id": 2}], name="events")
    settings = {"cursor_path": "at", "on_cursor_value_missing": choice}
    add_cursor(resource, Incremental.model_validate(settings), None)

    assert [row["id"] for row in resource] == expected


def test_row_without_the_cursors_field_fails_the_load(project: Project) -> None:
    project.module("def events():\n    yield {'id': 1}\n")
    project.pipeline(
        'source: {python: "shop:events"}\nresources: {events: {incremental: {cursor_path: at}}}'
    )

    project.run()

    assert "events: extract: IncrementalCursorPathMissing" in project.failure()
    assert not project.has_table("events")


def test_contract_of_one_word_refuses_a_table_that_is_not_there_yet(project: Project) -> None:
    project.module("def events():\n    yield {'id': 1}\n")
    text = 'source: {python: "shop:events"}\nresources: {events: {schema_contract: %s}}'
    project.pipeline(text % "freeze")

    assert not project.run().success
    assert not project.has_table("events")

    for contract in ("evolve", "freeze"):
        project.pipeline(text % contract)
        assert project.run().success, project.failure()
    assert project.count("events") == 2


@pytest.mark.parametrize(
    ("setting", "suffix"),
    [
        ("", "parquet"),
        ("loader_file_format: jsonl\n", "jsonl"),
        ("loader_file_format: csv\n", "csv"),
    ],
)
def test_staged_files_are_of_the_chosen_format(
    project: Project, monkeypatch: pytest.MonkeyPatch, setting: str, suffix: str
) -> None:
    staged: list[str] = []
    load = dlt.Pipeline.load

    def noted(self: dlt.Pipeline, *args: Any, **options: Any) -> LoadInfo:
        loaded = load(self, *args, **options)
        for package in loaded.load_packages:
            jobs = package.jobs["completed_jobs"]
            staged.extend(
                j.job_file_info.file_format
                for j in jobs
                if not j.job_file_info.table_name.startswith("_dlt")
            )
        return loaded

    monkeypatch.setattr(dlt.Pipeline, "load", noted)
    project.module("""
        def events():
            yield {"id": 1, "text": 'x,"y', "missing": None, "at": "2024-01-01T00:00:00Z"}
    """)
    project.pipeline(f'{setting}source: {{python: "shop:events"}}\nresources: {{events: }}')

    assert project.run().success, project.failure()

    assert set(staged) == {suffix}
    assert project.rows("select id, text from {d}.events") == [(1, 'x,"y')]
