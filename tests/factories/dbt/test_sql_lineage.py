"""What a SELECT reads: its columns, what they are made of, and what it names that nothing has."""

from __future__ import annotations

import pytest

from factories.dbt.sql_lineage import Select, names_of_using

T = ("DB", "S", "T")
U = ("DB", "S", "U")
TABLES = {T: {"A": "unknown", "b": "unknown", "Unit price": "unknown"}, U: {"K": "unknown"}}


def select(sql: str) -> Select:
    return Select(sql, TABLES)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a from db.s.t", {"A": [(T, "A")]}),
        ('select "b" as c from db.s.t', {"C": [(T, "b")]}),
        (
            "with x as (select * from db.s.t) select * from x",
            {"A": [(T, "A")], "b": [(T, "b")], "Unit price": [(T, "Unit price")]},
        ),
        ("select t.a || u.k as c from db.s.t join db.s.u", {"C": [(T, "A"), (U, "K")]}),
        ("select a from db.s.t union all select k from db.s.u", {"A": [(T, "A"), (U, "K")]}),
    ],
)
def test_columns_and_what_they_are_made_of(
    sql: str, expected: dict[str, list[tuple[tuple[str, str, str], str]]]
) -> None:
    deps = select(sql).deps()
    assert {name: sorted(made) for name, made in deps.items()} == {
        name: sorted(made) for name, made in expected.items()
    }
    assert select(sql).columns == [*expected]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select gone from db.s.t", {("GONE", T)}),
        ("select t.gone as c from db.s.t", {("GONE", T)}),
        ("select a from db.s.t where gone > 1", {("GONE", T)}),
        ("with x as (select * from db.s.t) select x.gone from x", {("GONE", T)}),
        ("with x as (select * from db.s.t) select a from x where gone is null", {("GONE", T)}),
        ("select gone from db.s.t join db.s.u on a = k", {("GONE", T), ("GONE", U)}),
        ("select k from db.s.u where exists (select 1 from db.s.t where gone = k)", {("GONE", T)}),
        ("select a from db.s.t union all select gone from db.s.u", {("GONE", U)}),
        ("select gone from (select * from db.s.t union all select * from db.s.t)", {("GONE", T)}),
        ("select * exclude (gone) from db.s.t", {("GONE", T)}),
        ("select * exclude (a) from db.s.t", set()),
        ("select a as gone from db.s.t order by gone", set()),
        ("select a as gone, gone + 1 as more from db.s.t qualify gone = 1", set()),
        ("select a from db.s.t group by all", set()),
        ("select f.value as v from db.s.t, lateral flatten(input => a) as f", set()),
        ('select a, row_number() over (order by "b") as n from db.s.t qualify n = 1', set()),
        ("select k from db.s.u where exists (select 1 from db.s.t where a = u.k)", set()),
    ],
)
def test_what_is_named_and_nothing_has(
    sql: str, expected: set[tuple[str, tuple[str, str, str]]]
) -> None:
    found = {(name, table) for name, tables in select(sql).lacking() for table in tables}
    # A column that no table has may be of each of those that the SELECT reads.
    assert expected <= found
    assert {name for name, _ in found} == {name for name, _ in expected}


def test_columns_of_using_are_named() -> None:
    assert names_of_using('select 1 from t join u using (a, "b")') == {"A", "b"}
