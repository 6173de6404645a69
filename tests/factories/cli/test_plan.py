"""Which runs `dp run` launches, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from factories.cli.running.plan import (
    Launchable,
    RunRefusedError,
    plan,
    refuse_broken,
    skip_downstream_of_failures,
)
from factories.cli.running.progress import AssetProgress
from factories.cli.running.run_events import RunEvents
from factories.cli.selection import SelectionError, select_assets
from factories.cli.serving.api import AssetNode


def node(
    key: str, *deps: str, location: str = "ingestion", op: str = "op", partitioned: bool = False
) -> AssetNode:
    return AssetNode(
        key, location, "repo", "__ASSET_JOB", key.split("/", maxsplit=1)[0], op, partitioned, deps
    )


def plan_keys(*assets: AssetNode) -> list[list[list[str]]]:
    return [[[a.key for a in run.assets] for run in step] for step in plan(assets)]


def test_assets_of_one_location_share_a_run() -> None:
    assert plan_keys(node("a/raw/x"), node("a/raw/y", op="other"), node("a/stg/x", "a/raw/x")) == [
        [["a/raw/x", "a/raw/y", "a/stg/x"]]
    ]


def test_location_waits_for_the_one_upstream() -> None:
    upstream = node("a/raw/x")
    downstream = node("a/stg/x", "a/raw/x", location="transformation")

    assert plan_keys(downstream, upstream) == [[["a/raw/x"]], [["a/stg/x"]]]


def test_locations_that_do_not_depend_on_each_other_run_at_once() -> None:
    assert plan_keys(node("a/raw/x"), node("b/raw/x", location="other")) == [
        [["a/raw/x"], ["b/raw/x"]]
    ]


def test_partitioned_assets_run_by_op_and_what_follows_waits() -> None:
    monthly = node("a/raw/m", op="monthly", partitioned=True)
    daily = node("a/raw/d", op="daily", partitioned=True)
    after = node("a/stg/m", "a/raw/m")

    assert plan_keys(node("a/raw/x"), monthly, daily, after) == [
        [["a/raw/x"], ["a/raw/d"], ["a/raw/m"]],
        [["a/stg/m"]],
    ]


def test_asset_that_depends_on_itself_is_run_once() -> None:
    assert plan_keys(node("a/raw/d", "a/raw/d", op="daily", partitioned=True)) == [[["a/raw/d"]]]


def test_assets_in_a_circle_are_refused_by_name() -> None:
    circle = [node("a/x", "b/x"), node("b/x", "a/x", location="other")]

    with pytest.raises(RunRefusedError, match=r"circle: (a/x → b/x → a/x|b/x → a/x → b/x)$"):
        plan(circle)


def test_assets_of_a_run_follow_what_they_depend_on() -> None:
    assert plan_keys(node("c", "b"), node("b", "a"), node("a")) == [[["a", "b", "c"]]]


def test_what_lies_downstream_of_a_failure_is_skipped_and_nothing_else() -> None:
    raw = [
        node("a/raw/x"),
        replace(node("a/raw/y"), blocking_checks=frozenset({"unknown"})),
        replace(node("a/raw/z"), blocking_checks=frozenset({"rows"})),
    ]
    built = [
        node("a/stg/x", "a/raw/x", location="dbt"),
        node("a/stg/y", "a/raw/y", location="dbt"),
        node("a/stg/z", "a/raw/z", location="dbt"),
        node("marts/x", "a/stg/x", "a/stg/y", location="dbt"),
        node("ml/x", "marts/x", location="ml"),
    ]
    progress = {asset.key: AssetProgress(asset.key) for asset in [*raw, *built]}
    progress["a/raw/x"].mark_ended("FAILURE")
    progress["a/raw/y"].mark_materialized({})
    progress["a/raw/y"].note_check("unknown", passed=False)
    progress["a/raw/y"].note_check("unknown", passed=False, warns=True)
    assert not progress["a/raw/y"].ok
    progress["a/raw/z"].mark_materialized({})
    progress["a/raw/z"].failed_checks.append("rows")

    _, second, third = plan([*raw, *built])
    left = [skip_downstream_of_failures(step, [*raw, *built], progress) for step in (second, third)]

    assert [[asset.key for asset in run.assets] for step in left for run in step] == [["a/stg/y"]]
    assert progress["marts/x"].error == "skipped for a/stg/x, which it depends on"
    skipped = {key for key, each in progress.items() if each.status == "skipped"}
    assert skipped == {"a/stg/x", "a/stg/z", "marts/x", "ml/x"}


def test_what_a_run_did_not_try_was_skipped() -> None:
    run = Launchable(
        (
            node("stg/x"),
            replace(node("stg/y"), blocking_checks=frozenset({"unique"})),
            node("stg/z"),
            node("marts/x", "stg/x", "stg/z"),
            node("marts/y", "stg/y"),
            node("marts/z", "stg/z"),
            node("marts/of_itself", "marts/of_itself"),
            node("ml/x", "marts/x"),
        ),
        partitioned=False,
    )
    progress = {asset.key: AssetProgress(asset.key) for asset in run.assets}
    for key in ("stg/y", "stg/z", "marts/z"):
        progress[key].mark_materialized({})
    progress["stg/y"].failed_checks.append("unique")

    RunEvents(run, progress).note_ended("FAILURE")

    assert {key: each.status for key, each in progress.items()} == {
        "stg/x": "failed",
        "stg/y": "materialized",
        "stg/z": "materialized",
        "marts/x": "skipped",
        "marts/y": "skipped",
        "marts/z": "materialized",
        "marts/of_itself": "failed",
        "ml/x": "skipped",
    }
    assert progress["ml/x"].error == "skipped for marts/x, which it depends on"


def test_what_a_canceled_run_did_not_make_was_canceled() -> None:
    run = Launchable((node("stg/x"), node("marts/x", "stg/x")), partitioned=False)
    progress = {asset.key: AssetProgress(asset.key) for asset in run.assets}

    RunEvents(run, progress).note_ended("CANCELED")

    assert {each.status for each in progress.values()} == {"canceled"}


def test_selection_takes_keys_and_groups() -> None:
    assets = [node("a/raw/x"), node("a/raw/y"), node("b/raw/x")]

    assert [a.key for a in select_assets(assets, ["a/raw/y", "b"])] == ["a/raw/y", "b/raw/x"]
    assert select_assets(assets, []) == assets


def test_unknown_selection_is_refused_with_the_nearest() -> None:
    with pytest.raises(SelectionError, match="did you mean 'a/raw/flights'"):
        select_assets([node("a/raw/flights")], ["a/raw/flihgts"])


def test_selection_like_nothing_is_refused_with_the_groups() -> None:
    with pytest.raises(SelectionError, match="groups: a, b"):
        select_assets([node("a/raw/x"), node("b/raw/x")], ["whatever"])


def test_location_that_does_not_load_is_refused_with_its_report() -> None:
    with pytest.raises(RunRefusedError, match="ingestion: 1 problem"):
        refuse_broken({"ingestion": "1 problem in the configuration:"})
