"""Steps that are killed while they replace a table: which rows others see meanwhile."""

from __future__ import annotations

import pytest

from tests.factories.dlt.conftest import Project
from tests.factories.dlt.load.killed_loads import COLORS, Loads, expected
from tests.factories.dlt.load.stopping_step import Extracted, FollowedUp, Loaded, Normalized, Point

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dlt kill")]


@pytest.fixture(scope="module")
def colors(shared_project: Project) -> Loads:
    """Each test replaces what is there, by a strategy of its own."""
    return Loads(shared_project)


@pytest.mark.parametrize(
    ("strategy", "point", "seen"),
    [
        ("insert-from-staging", Extracted(), "old"),
        ("insert-from-staging", Normalized(), "old"),
        ("insert-from-staging", FollowedUp("colors", 3), "old"),
        ("staging-optimized", FollowedUp("colors"), "new"),
        ("staging-optimized", Loaded(["colors__tags"]), "old"),
    ],
)
def test_killed_replace_shows_whole_tables_and_keeps_their_privileges(
    colors: Loads, strategy: str, point: Point, seen: str
) -> None:
    colors.pipeline(COLORS, STRATEGY=strategy)
    colors.begin()
    old = colors.given[-1]
    table = f"{colors.project.dataset}.colors"
    colors.project.rows(f"grant select on table {table} to role painters")
    new = colors.give(4)
    colors.write(new)  # and no longer the old ones

    colors.kill(point)
    assert colors.rows("colors") == expected(old if seen == "old" else new)
    colors.rerun()

    assert colors.rows("colors") == expected(new)
    [grant] = colors.project.rows(f"show grants on table {table}")
    assert grant[5] == "PAINTERS"
