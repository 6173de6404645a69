"""What a killed append leaves behind, and how the next run finds and removes it."""

from __future__ import annotations

import re

import pytest

from tests.factories.dlt.conftest import Project, materialized
from tests.factories.dlt.load.killed_loads import EVENTS, Loads, expected, pages
from tests.factories.dlt.load.stopping_step import Completing, Copying, Loaded

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dlt kill")]


@pytest.fixture(scope="module")
def events(shared_project: Project) -> Loads:
    """Each test appends to what is there."""
    loads = Loads(shared_project)
    loads.pipeline(EVENTS)
    return loads


def test_rows_of_a_killed_append_are_removed_with_a_word_in_the_log(events: Loads) -> None:
    events.begin()
    project = events.project
    # Rows of a load that was not begun here, which may still be under way; one without an id.
    project.rows("alter table {d}.events alter column _dlt_id drop not null")
    project.rows(
        "insert into {d}.events (id, at, version, _dlt_id, _dlt_load_id)"
        " values (78, 8, 8, 'other', '9999999999.1'), (79, 8, 8, null, '9999999999.1')"
    )
    others = [(78, 8, 0), (79, 8, 0)]
    rows = project.count("events") + project.count("events__tags")
    events.give(4)

    events.kill(Loaded(["events", "events__tags"], files=3))
    seen = project.count("events") + project.count("events__tags")
    events.rerun()

    assert seen == rows + 3 * 2
    assert events.rows("events") == sorted([*expected(*events.given, key=False), *others])
    removed = re.findall(r"was cut short: removed (\d) rows of it from (\w+)", project.messages())
    assert {table for _, table in removed} == {"events", "events__tags"}
    assert sum(int(count) for count, _ in removed) == 6
    project.rows("delete from {d}.events where id in (78, 79)")


def test_copy_that_is_not_committed_holds_up_the_rerun_for_seconds_only(events: Loads) -> None:
    events.begin()
    events.give(2)

    events.kill(Copying("events"))
    events.rerun()

    assert events.rows("events") == expected(*events.given, key=False)


def test_source_that_cannot_give_the_rows_again_loses_them(events: Loads) -> None:
    events.begin()
    events.give(2)
    events.kill(Loaded(["events"]))
    events.given.pop()
    events.write(*events.given)

    events.rerun()

    assert events.rows("events") == expected(*events.given, key=False)


def test_killed_full_refresh_is_done_again(events: Loads) -> None:
    events.begin()
    last = events.cursor()
    events.given = [pages(last, last + 4, version=99)]  # beyond the cursor: it would go on there
    events.write(*events.given)

    events.kill(Completing(), full_refresh=True)
    again = events.rerun()

    assert events.rows("events") == expected(*events.given)
    assert materialized(again)["events"]["rows_loaded"] == 4
    assert "the full refresh was cut short, it is done again" in events.project.messages()
    assert materialized(events.rerun())["events"]["rows_loaded"] == 0
    assert events.rows("events") == expected(*events.given)


def test_another_pipelines_killed_load_is_its_own_affair(project: Project) -> None:
    loads = Loads(project)
    loads.pipeline(EVENTS)
    loads.give(2)
    loads.kill(Loaded(["events"]))
    (project.root / "dlt_pipelines" / "shop.yaml").unlink()
    project.pipeline(
        f"""
        source: {{python: "shop:colors", args: {{file: "{loads.file}"}}}}
        resources: {{visits: {{write_disposition: append}}}}
        """,
        name="web",
    )

    loads.rerun()

    assert project.count("visits") == 2
    assert project.count("events") == 2  # still to be undone, by a run of their own pipeline
    assert loads.notes() > 0


def test_load_that_fails_leaves_none_of_its_rows(project: Project) -> None:
    loads = Loads(project)
    loads.pipeline(EVENTS)
    project.rows("create schema {d}")
    project.rows("create table {d}.events (note varchar not null)")
    written = [{"at": n, "note": "short", "tags": [{"tag": n}]} for n in range(6)]
    loads.write([written[:2]])
    loads.rerun()
    written[5]["note"] = None  # in the last of two files
    loads.write([written])

    failed = project.run()

    assert not failed.success
    assert project.count("events") == project.count("events__tags") == 2
    assert loads.notes() == 0
