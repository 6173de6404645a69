"""Sources in Python, in each of the shapes that dlt knows."""

from __future__ import annotations

import pytest

from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

SHAPES = """
    import dlt
    import pandas as pd
    import pyarrow as pa

    ROWS = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}]

    def generator(prefix=""):
        yield from ROWS

    def pages():
        yield ROWS[:1]
        yield ROWS[1:]

    def returned():
        return ROWS

    def iterator():
        return iter(ROWS)

    async def asynchronous():
        for row in ROWS:
            yield row

    def frame():
        return pd.DataFrame(ROWS)

    def frames():
        yield pd.DataFrame(ROWS[:1])
        yield pd.DataFrame(ROWS[1:])

    def arrow():
        yield pa.Table.from_pylist(ROWS)

    @dlt.resource(name="people")
    def resource():
        yield from ROWS

    @dlt.resource(name="people")
    async def asynchronous_resource():
        yield ROWS

    @dlt.resource
    def _people(count=2):
        yield ROWS[:count]

    def made_resource():
        return _people.with_name("people")

    def made_resources():
        return [_people.with_name("people"), _people.with_name("others")(1)]

    @dlt.source
    def source():
        return _people.with_name("people"), _people.with_name("others")(1)

    def made_source():
        return source()

    @dlt.source
    def generated():
        for name in ("people", "others"):
            yield _people.with_name(name)
"""


@pytest.mark.parametrize(
    "function",
    [
        "generator", "pages", "returned", "iterator", "asynchronous", "frame", "frames", "arrow",
        "resource", "asynchronous_resource", "made_resource", "made_resources", "source",
        "made_source", "generated",
    ],
)  # fmt: skip
def test_shape(project: Project, function: str) -> None:
    project.pipeline(f'source: {{python: "shapes:{function}"}}\nresources: {{people: {{}}}}')
    project.module(SHAPES, "shapes")

    result = project.run()

    assert result.success, project.failure()
    assert project.rows("select id, name from {d}.people order by id") == [(1, "Ada"), (2, "Bob")]
    assert not project.has_table("others")
    loaded = project.rows("select distinct _dlt_load_id from {d}.people")
    assert loaded == [(materialized(result)["people"]["dlt/load_id"],)]


def test_a_function_is_called_once_for_each_load(project: Project) -> None:
    calls = project.root / "calls"
    project.module(f"""
        from pathlib import Path

        def people():
            with Path({str(calls)!r}).open("a") as file:
                file.write("called ")
            return [{{"id": 1}}]
    """)
    project.pipeline('source: {python: "shop:people"}\nresources: {people: {}}')

    project.run()

    assert calls.read_text() == "called "


@pytest.mark.parametrize(
    ("hint", "resource", "reported"),
    [
        ('write_disposition="merge", primary_key="id"', "{}", "has the write_disposition 'merge'"),
        ('table_name="staff"', "{}", "has the table_name 'staff', and"),
        ("table_name=lambda row: row['kind']", "{table_name: t}", "names a table for each row"),
        ('write_disposition="merge"', "{write_disposition: append}", ""),
        ('table_name="staff"', "{table_name: people}", ""),
    ],
)
def test_what_a_function_says_of_its_loading_is_not_silently_overridden(
    project: Project, hint: str, resource: str, reported: str
) -> None:
    project.module(f"""
        import dlt

        @dlt.resource({hint})
        def people():
            yield {{"id": 1, "kind": "a"}}
    """)
    project.pipeline(f'source: {{python: "shop:people"}}\nresources: {{people: {resource}}}')

    result = project.run()

    assert result.success is not bool(reported)
    if reported:
        assert f"people: its function {reported}" in project.failure()


def test_a_transformer_alone_reads_what_it_is_made_from(project: Project) -> None:
    project.pipeline('source: {python: "shop:shop"}\nresources: {orders: {}}')
    project.module("""
        import dlt

        @dlt.source
        def shop():
            @dlt.resource
            def people():
                yield [{"id": 1}, {"id": 2}]

            @dlt.transformer(data_from=people)
            def orders(people):
                for person in people:
                    yield {"person": person["id"]}

            return people, orders
    """)

    project.run()

    assert project.rows("select person from {d}.orders order by 1") == [(1,), (2,)]
    assert not project.has_table("people")


@pytest.mark.parametrize(
    ("signature", "gives"),
    [
        ("def events(updated=dlt.sources.incremental('updated')):", "yield rows"),
        ("def events(updated=dlt.sources.incremental('updated', 99)):", "yield rows"),
        ("def events(updated=dlt.sources.incremental('updated', 99)):", "return rows"),
        ("def events(updated=dlt.sources.incremental('updated')):", "return iter(rows)"),
        (
            "@dlt.resource\ndef events(updated=dlt.sources.incremental('updated', 99)):",
            "yield rows",
        ),
    ],
)
def test_the_cursor_of_yaml_reaches_the_functions_parameter(
    project: Project, signature: str, gives: str
) -> None:
    seen = project.root / "seen"
    project.module("import dlt\nfrom pathlib import Path\n")
    path = project.root / "dlt_pipelines" / "shop.py"
    body = f"""
    with Path({str(seen)!r}).open("a") as file:
        file.write(f"{{updated.start_value}} ")
    rows = [{{"id": n, "updated": n}} for n in range(10)]
    {gives}
    """
    path.write_text(f"{path.read_text()}{signature}{body}")
    project.pipeline("""
        source: {python: "shop:events"}
        resources:
          events: {write_disposition: append, incremental: {cursor_path: updated, initial_value: 5}}
    """)

    first = project.run()
    second = project.run()

    assert first.success, project.failure()
    assert seen.read_text() == "5 9 "
    assert materialized(first)["events"]["rows_loaded"] == 5
    assert materialized(second)["events"]["rows_loaded"] == 0


def test_dlts_configuration_comes_from_the_environment_and_from_no_file(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / ".dlt").mkdir()
    (project.root / ".dlt" / "secrets.toml").write_text(
        '[sources.shop]\ntoken = "of-the-file"\nregion = "of-the-file"\n'
    )
    (project.root / ".dlt" / "config.toml").write_text('[sources.shop]\nregion = "of-the-file"\n')
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("SOURCES__SHOP__TOKEN", "t0ken-of-the-environment")
    project.module("""
        import dlt

        def rows(token=dlt.secrets.value, region=dlt.config.value):
            yield {"length": len(token), "region": region}

        def plain(token=dlt.secrets.value, region=dlt.config.value):
            return [{"length": len(token), "region": region}]

        @dlt.source
        def source(token=dlt.secrets.value, region=dlt.config.value):
            return dlt.resource([{"length": len(token), "region": region}], name="decorated")
    """)
    for function, name in (("rows", "rows_of"), ("plain", "plain"), ("source", "decorated")):
        project.pipeline(
            f'source: {{python: "shop:{function}"}}\nresources: {{{name}: {{}}}}', f"p_{name}"
        )

    refused = project.run()

    assert not refused.success
    reported = project.log()
    assert "region" in reported
    assert "SHOP__REGION" in reported
    assert "of-the-file" not in reported

    monkeypatch.setenv("SOURCES__SHOP__REGION", "eu")
    result = project.run()

    assert result.success, project.log()
    for table in ("rows_of", "plain", "decorated"):
        assert project.rows(f"select length, region from {{d}}.{table}") == [(24, "eu")]
    assert "t0ken" not in project.log()


def test_arguments_may_be_variables_and_are_not_shown(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret-token")
    project.module("""
        def people(token):
            if token == "s3cret-token":
                raise RuntimeError(f"refused: {token}")
            yield {}
    """)
    project.pipeline(
        'source: {python: "shop:people", args: {token: "${SHOP_TOKEN}"}}\nresources: {people: {}}'
    )

    project.run()

    assert "RuntimeError: refused: ***" in project.failure()
    assert "s3cret" not in project.log()


def test_modules_import_each_other_and_hide_none_of_the_standard_library(
    project: Project,
) -> None:
    project.module("LIMIT = 3\ndef numbers():\n    return range(LIMIT)\n", "common")
    project.module("""
        import calendar as standard

        from dlt_pipelines import common
        from dlt_pipelines.common import numbers
        from .common import LIMIT

        def days():
            yield from ({"n": n, "leap": standard.isleap(2024)} for n in numbers())
            assert LIMIT == common.LIMIT
    """, "calendar")  # fmt: skip
    project.pipeline('source: {python: "calendar:days"}\nresources: {days: {}}')

    result = project.run()

    assert result.success, project.failure()
    assert project.rows("select n, leap from {d}.days order by n") == [
        (0, True),
        (1, True),
        (2, True),
    ]
