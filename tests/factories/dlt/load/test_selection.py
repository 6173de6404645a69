"""Resources that read from one with a cursor: each gets every row once, whatever is selected."""

from __future__ import annotations

import pytest

from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

# `rows` is read for `a` and `b`; how often, a file tells.
SHOP = """
    from pathlib import Path
    import dlt

    @dlt.source
    def shop(many, read):
        @dlt.resource
        def rows(at=dlt.sources.incremental("at", initial_value=0)):
            with Path(read).open("a") as file:
                file.write("x")
            yield [{"id": n, "at": n // 2} for n in range(many)]

        @dlt.transformer(data_from=rows)
        def a(page):
            yield page

        @dlt.transformer(data_from=rows)
        def b(page):
            yield page

        return rows, a, b
"""


def source_of(project: Project, many: int, resources: str) -> None:
    read = project.root / "read"
    read.write_text("")
    project.module(SHOP)
    project.pipeline(
        f'source: {{python: "shop:shop", args: {{many: {many}, read: "{read}"}}}}\n'
        f"resources: {{{resources}}}"
    )


def times_read(project: Project) -> int:
    return len((project.root / "read").read_text())


def load_rows(project: Project, *selection: str) -> dict[str, object]:
    result = project.run(*selection)
    assert result.success, project.failure()
    return {name: found["rows_loaded"] for name, found in materialized(result).items()}


def test_resource_loaded_alone_leaves_the_cursor_of_what_it_reads_from(project: Project) -> None:
    source_of(project, 2, "rows: {}, a: {}")

    assert load_rows(project, "a") == {"a": 2}
    assert load_rows(project, "rows") == {"rows": 2}

    source_of(project, 4, "rows: {}, a: {}")
    assert load_rows(project) == {"rows": 2, "a": 2}
    assert times_read(project) == 1
    assert load_rows(project, "rows") == {"rows": 0}


def test_siblings_are_each_where_they_were_left_and_together_again_later(project: Project) -> None:
    source_of(project, 2, "a: {}")
    assert load_rows(project) == {"a": 2}
    source_of(project, 2, "a: {}, b: {}")
    assert load_rows(project) == {"a": 0, "b": 2}  # b is new, and gets all

    source_of(project, 4, "a: {}, b: {}")
    assert load_rows(project, "a") == {"a": 2}
    assert load_rows(project) == {"a": 0, "b": 2}
    assert times_read(project) == 3

    source_of(project, 6, "a: {}, b: {}")
    assert load_rows(project) == {"a": 2, "b": 2}
    assert times_read(project) == 1
    assert project.count("a") == project.count("b") == 6


def test_full_refresh_of_one_leaves_the_place_of_its_sibling(project: Project) -> None:
    source_of(project, 2, "a: {}, b: {}")
    load_rows(project)
    source_of(project, 4, "a: {}, b: {}")

    project.full_refresh("dlt__shop", "a")

    assert project.count("a") == 4
    assert load_rows(project) == {"a": 0, "b": 2}


def test_partitions_neither_use_nor_move_the_cursor_of_what_they_read_from(
    project: Project,
) -> None:
    daily = "{type: daily, start: 1970-01-01, end: 1970-01-03}"
    partitioned = (
        "b: {write_disposition: merge, primary_key: id, incremental: {cursor_path: at,"
        f" datetime_format: epoch}}, meta: {{dagster: {{partition: {daily}}}}}}}"
    )
    source_of(project, 2, f"a: {{}}, {partitioned}")
    assert load_rows(project, "a") == {"a": 2}

    result = project.run("b", partition_key="1970-01-01")
    assert materialized(result)["b"]["rows_loaded"] == 2

    source_of(project, 4, f"a: {{}}, {partitioned}")
    assert load_rows(project, "a") == {"a": 2}
