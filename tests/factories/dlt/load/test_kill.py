"""Steps that are killed at every point of a load: a plain rerun loses no row and repeats none."""

from __future__ import annotations

import pytest

from tests.factories.dlt.conftest import Project, materialized
from tests.factories.dlt.load.killed_loads import (
    CUSTOMERS,
    MODULE,
    SHOP,
    SNAPSHOTS,
    Loads,
    expected,
)
from tests.factories.dlt.load.stopping_step import (
    Completed,
    Completing,
    Extracted,
    FollowedUp,
    Loaded,
    Normalized,
    Point,
)

# With the others that kill: what their steps are forked from is imported once.
pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dlt kill")]


@pytest.fixture(scope="module")
def shop(shared_project: Project) -> Loads:
    """One resource is appended and two are merged; each test loads on top of what is there."""
    loads = Loads(shared_project)
    loads.pipeline(SHOP)
    return loads


def test_first_load_of_all_can_be_killed(shop: Loads) -> None:
    assert not shop.given
    shop.give(4)

    shop.kill(Loaded(["events", "events__tags"], files=3))
    shop.rerun()

    assert shop.rows("events") == expected(*shop.given, key=False)
    assert shop.rows("customers") == shop.rows("prices") == expected(*shop.given)
    assert shop.cursor() == 3


@pytest.mark.parametrize(
    "point",
    [
        Extracted(),
        Normalized(),
        Loaded(["_dlt_pipeline_state", "events"], files=2),
        Loaded(["events__tags", "customers", "prices__tags"], files=4),
        FollowedUp("customers", 4),
        Completing(),
        Completed(),
    ],
    ids=str,
)
def test_killed_load_is_repeated_and_nothing_is_lost_or_there_twice(
    shop: Loads, point: Point
) -> None:
    shop.begin()
    old, before = expected(*shop.given), shop.cursor()
    # Where some files are to be loaded and others not, each table has two of them.
    rows = 4 if isinstance(point, Loaded) else 2
    shop.give(rows)
    new, after = expected(*shop.given), 101 * (shop.versions - 1) + rows - 1

    left = shop.kill(point)
    merged = isinstance(point, Completing | Completed)
    complete = isinstance(point, Completed)
    assert shop.rows("customers") == (new if merged else old)
    assert shop.rows("prices") in (old, new)
    assert shop.cursor() == (after if complete else before)
    assert left

    again = shop.rerun()

    assert shop.rows("events") == expected(*shop.given, key=False)
    assert shop.rows("customers") == shop.rows("prices") == new
    assert shop.cursor() == after
    assert shop.notes() == 0
    assert not any(folder.exists() for folder in left)
    assert materialized(again)["events"]["rows_loaded"] == (0 if complete else rows)


def test_killed_full_refresh_is_done_again_also_where_python_has_the_cursor(shop: Loads) -> None:
    shop.begin()
    new = shop.give(2)
    shop.given = [new]
    shop.write(new)  # and no longer the old ones

    shop.kill(Completing(), full_refresh=True)
    shop.rerun()

    for table in ("events", "customers", "prices"):
        assert shop.rows(table) == expected(new), table
    assert shop.notes() == 0


def test_killed_load_of_a_whole_table_is_repeated(project: Project) -> None:
    loads = Loads(project)
    loads.pipeline(SNAPSHOTS)
    project.module(MODULE.replace('at=dlt.sources.incremental("at", initial_value=0)', ""))
    loads.begin()

    for point, seen in ((FollowedUp("customers", 4), "old"), (Completing(), "new")):
        old = loads.given[-1]
        new = loads.give(2)
        loads.write(new)  # and no longer the old ones

        loads.kill(point)
        assert loads.rows("customers") == expected(new if seen == "new" else old), point
        loads.rerun()

        assert loads.rows("events") == expected(*reversed(loads.given)), point  # the first stays
        assert loads.rows("customers") == expected(new), point
        history = sorted(row for version in loads.given for row in expected(version))
        assert loads.rows("prices") == history, point
        held = project.rows("select id, version from {d}.prices where _dlt_valid_to is null")
        assert sorted(held) == [(i, v) for i, v, _ in expected(new)], point


def test_killed_merge_without_child_tables_shows_the_old_rows(project: Project) -> None:
    loads = Loads(project)
    loads.pipeline(CUSTOMERS)
    loads.begin()
    loads.give(2)

    loads.kill(FollowedUp("customers", 1))

    assert project.rows("select id, version from {d}.customers order by id") == [(0, 1), (1, 1)]
