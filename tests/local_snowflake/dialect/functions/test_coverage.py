"""The page of what is translated, rewritten and refused."""

from __future__ import annotations

from pathlib import Path

from local_snowflake.dialect.functions.coverage import PAGE, coverage_page
from local_snowflake.dialect.functions.refused import REFUSED
from local_snowflake.dialect.functions.translated import TRANSLATED

ROOT = Path(__file__).parents[4]


def test_committed_page_is_what_the_tables_say() -> None:
    committed = (ROOT / PAGE).read_text(encoding="utf-8")
    assert committed == coverage_page(), f"{PAGE} is out of date: run `dp local docs`"


def test_a_function_is_in_one_table_only() -> None:
    nodes = [(row.node, row.when) for row in (*TRANSLATED, *REFUSED)]
    assert len(set(nodes)) == len(nodes)


def test_functions_are_listed_in_order() -> None:
    calls = [row.call for row in TRANSLATED]
    assert calls == sorted(calls)
