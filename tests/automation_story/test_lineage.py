"""What the demo's story takes for a wrong order, and for a materialization without a cause."""

from __future__ import annotations

from typing import Any

import pytest

from automation_story.instance_facts import Made
from automation_story.lineage import find_automated, find_doubles, find_wrong_order
from factories.cli.asset_facts import ConditionFacts
from factories.cli.location_report import AssetReport
from factories.cli.looking.assets import ProjectAsset

TICK, NEXT_TICK = "the cron ticked at 02:00 UTC", "the cron ticked at 02:02 UTC"
UPDATED = "up was updated"


def asset(key: str, *deps: str, condition: bool = True, produced: bool = True) -> ProjectAsset:
    found = ConditionFacts("on_upstream_change") if condition else None
    report = AssetReport(key, "", 0, produced=produced, deps=list(deps), condition=found)
    return ProjectAsset("location", report, ())


def made(event: int, *causes: str, up: int | None = None, again: bool = False) -> Made:
    seen: dict[str, Any] = {} if up is None else {"up": up}
    return Made("d", event, float(event), f"run {event}", causes, again, seen)


def test_what_is_manual_and_what_reads_it_is_left_out() -> None:
    assets = [
        asset("source", produced=False),
        asset("raw", "source"),
        asset("by_hand", "source", condition=False),
        asset("staged", "by_hand", "raw"),
        asset("mart", "staged", "raw"),
        asset("other", "raw"),
    ]
    assert find_automated(assets) == {"raw": [], "other": ["raw"]}


def test_what_was_made_before_its_upstream_is_told() -> None:
    upstream = {"up": [], "d": ["up"]}
    right = {"up": [made(1)], "d": [made(2), made(3)]}
    wrong = {"up": [made(2), made(4)], "d": [made(1), made(3)]}
    assert list(find_wrong_order(upstream, right)) == []
    assert list(find_wrong_order(upstream, wrong)) == ["d was made before up"]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([made(1, TICK), made(2, NEXT_TICK)], ""),
        ([made(1, TICK), made(2, NEXT_TICK), made(3, TICK)], "once more"),
        ([made(1, TICK), made(2, TICK, again=True)], ""),
        ([made(1, UPDATED, up=5), made(2, UPDATED, up=7)], ""),
        ([made(1, UPDATED, up=5), made(2, UPDATED, up=5)], "nothing new to see"),
        ([made(1)], "has no cause"),
    ],
    ids=["two ticks", "one tick twice", "an attempt", "newer", "nothing newer", "no cause"],
)
def test_what_was_made_for_no_cause_is_told(found: list[Made], told: str) -> None:
    doubles = list(find_doubles({"d": found}))
    assert [told in each for each in doubles] == ([True] if told else [])
