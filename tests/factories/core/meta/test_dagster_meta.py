"""The `meta.dagster` block: what it takes, and how a stream's stands over its file's."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.meta.dagster_meta import DagsterMeta, merge_meta
from factories.core.meta.freshness import freshness_policy
from factories.core.meta.retries import retry_policy
from factories.core.yaml.models import SourceMap, validate
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import read_yaml

CONFIG_KEYS = AutomationConditions().config_keys


def read_block(tmp_path: Path, text: str) -> tuple[DagsterMeta | None, list[str]]:
    path = tmp_path / "meta.yaml"
    path.write_text(text)
    problems: list[Problem] = []
    file = read_yaml(path, root=tmp_path, problems=problems)
    assert file is not None
    meta = validate(DagsterMeta, file.data, SourceMap(file, []), problems)
    return meta, [str(problem) for problem in problems]


def block(tmp_path: Path, text: str) -> DagsterMeta:
    meta, problems = read_block(tmp_path, text)
    assert problems == []
    assert meta is not None
    return meta


def mistake(tmp_path: Path, text: str) -> str:
    _, problems = read_block(tmp_path, text)
    (problem,) = problems
    return problem


# --- what the block takes ---


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "gruop: ops",
            "meta.yaml:1:1: unknown key 'gruop'; did you mean 'group'? (allowed: ",
        ),
        ("group: flight-ops", "meta.yaml:1:8: group: 'flight-ops' is not a group name"),
        ("group: a//b", "meta.yaml:1:8: group: 'a//b' is not a group name"),
        ("group: 1", "meta.yaml:1:8: group: must be text, not 1: put it in quotes"),
        ("pool: my pool", "meta.yaml:1:7: pool: 'my pool' is not a pool name"),
        (
            "owners: [ana@example.com, ops]",
            "meta.yaml:1:27: owners[1]: 'ops' is neither an email address nor team:NAME",
        ),
        ("owners: ops", "meta.yaml:1:9: owners: must be a list, not 'ops'"),
        ("owners: ['team:']", "meta.yaml:1:10: owners[0]: 'team:' is neither"),
        ("owners: [a@b.c]", "meta.yaml:1:10: owners[0]: 'a@b.c' is neither"),
        ("tags: {pii: false}", "meta.yaml:1:13: pii: must be text, not false: put it in quotes"),
        ("tags: {a: x y}", "meta.yaml:1:11: a: 'x y' is not a tag's value"),
        ("tags: {ok: '1', a b: x}", "meta.yaml:1:22: a b: 'a b' is not a tag"),
        ("kinds: [a, b, c, d]", "meta.yaml:1:8: kinds: Dagster shows at most 3 kinds, here are 4"),
        ("kinds: [My Kind]", "meta.yaml:1:8: kinds: 'My Kind' is not a kind"),
        ("deps: [a//b]", "meta.yaml:1:8: deps[0]: 'a//b' is not an asset key like"),
        (
            "deps: [shop.raw.a]",
            (
                "meta.yaml:1:8: deps[0]: 'shop.raw.a' is not an asset key;"
                " did you mean 'shop/raw/a'?"
            ),
        ),
        ("asset_key: a b", "meta.yaml:1:12: asset_key: 'a b' is not an asset key like"),
        (
            "automation_condition_config: {cron_schedule: '0 2 * * *'}",
            "meta.yaml:1:1: automation_condition_config stands without automation_condition",
        ),
        ("retries: {}", "meta.yaml:1:1: the key 'max' is missing"),
        ("retries: {max: -1}", "meta.yaml:1:16: max: must be greater than or equal to 0, not -1"),
        (
            "retries: {max: 1, backoff: exponetial}",
            (
                "meta.yaml:1:28: backoff: 'exponetial' is not one of the allowed values;"
                " did you mean 'exponential'? (allowed: linear, exponential)"
            ),
        ),
        ("retries: {max: 1, delay: 30}", "meta.yaml:1:26: delay: must be a duration like 30s"),
        ("checks: {rows: {}}", "meta.yaml:1:16: rows: give min, max or change"),
        ("checks: {rows: {min: 2, max: 1}}", "meta.yaml:1:16: rows: min must not be greater"),
        (
            "checks: {columns: {unique: [id, id]}}",
            "meta.yaml:1:28: unique: the column id",
        ),
        (
            "checks: {schema: strict}",
            "meta.yaml:1:18: schema: 'strict' is not one of the allowed values",
        ),
        (
            "checks: {unique: [id]}",
            "meta.yaml:1:10: 'unique' belongs below columns",
        ),
        ("start: 2013-01-01", "meta.yaml:1:1: 'start' belongs below partition or"),
        # What a pattern takes ends where the text ends, not before a last line break.
        (r'group: "a\n"', r"meta.yaml:1:8: group: 'a\n' is not a group name"),
        (r'pool: "a\n"', r"meta.yaml:1:7: pool: 'a\n' is not a pool name"),
        (r'owners: ["team:a\n"]', r"meta.yaml:1:10: owners[0]: 'team:a\n' is neither"),
        (r'owners: ["a@b.org\n"]', r"meta.yaml:1:10: owners[0]: 'a@b.org\n' is neither"),
        (r'tags: {a: "b\n"}', r"meta.yaml:1:11: a: 'b\n' is not a tag's value"),
        (r'tags: {"a\n": b}', "meta.yaml:1:15: a\n: 'a\\n' is not a tag"),
        (r'kinds: ["a\n"]', r"meta.yaml:1:8: kinds: 'a\n' is not a kind"),
        (r'deps: ["a/b\n"]', r"meta.yaml:1:8: deps[0]: 'a/b\n' is not an asset key"),
        ("checks: {rosw: {}}", "meta.yaml:1:10: unknown key 'rosw'; did you mean 'rows'?"),
    ],
)
def test_mistake_is_reported_at_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert mistake(tmp_path, text).startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "{type: dialy, start: 2013-01-01}",
            (
                "type: 'dialy' is not one of the allowed values; did you mean 'daily'?"
                " (allowed: hourly, daily, weekly, monthly, static)"
            ),
        ),
        (
            "daily",
            "partition: must be a mapping such as {type: daily, start: 2024-01-31}, not 'daily'",
        ),
        ("{type: daily}", "partition: a daily partition needs a start"),
        ("{type: daily, satrt: 2013-01-01}", "unknown key 'satrt'; did you mean 'start'?"),
        ("{type: daily, start: 2013}", "start: must be text, not 2013: put it in quotes"),
        ("{type: daily, start: 2013-13-01}", "start: '2013-13-01' is not a date like 2013-01-01"),
        ("{type: daily, start: 01.02.2013}", "start: '01.02.2013' is not a date like 2013-01-01"),
        (
            "{type: hourly, start: '2013-01-01T00:00+01:00'}",
            "start: '2013-01-01T00:00+01:00' must not carry an offset: use the key timezone",
        ),
        (
            "{type: daily, start: 2013-01-01, timezone: America/NewYork}",
            (
                "timezone: 'America/NewYork' is not a time zone like America/New_York;"
                " did you mean 'America/New_York'?"
            ),
        ),
        (
            "{type: daily, start: 2013-01-01, timezone: europe/berlin}",
            (
                "timezone: 'europe/berlin' is not a time zone like America/New_York;"
                " did you mean 'Europe/Berlin'?"
            ),
        ),
        (
            "{type: daily, start: 2013-01-02, end: 2013-01-02}",
            "partition: end must come after start",
        ),
        ("{type: daily, start: 2013-01-01, keys: [a]}", "partition: a daily partition has no keys"),
        ("{type: static}", "partition: a static partition needs keys"),
        ("{type: static, keys: [a, a]}", "partition: a static partition's keys must differ"),
        (
            "{type: static, keys: [a], start: 2013-01-01}",
            "partition: a static partition has neither start nor end",
        ),
        (
            "{type: static, keys: [1]}",
            "keys[0]: must be text, not 1: put it in quotes",
        ),
        (
            "{type: weekly, start: 2013-01-02}",
            "partition: start: weekly partitions begin on a Sunday like 2012-12-30, not 2013-01-02",
        ),
        (
            "{type: monthly, start: 2013-01-15}",
            "partition: start: monthly partitions begin on the first of a month, not 2013-01-15",
        ),
        (
            "{type: daily, start: 2013-01-01T06:00}",
            "partition: start: daily partitions begin at midnight, not 2013-01-01T06:00",
        ),
        (
            "{type: hourly, start: 2013-01-01T06:30}",
            "partition: start: hourly partitions begin on the full hour, not 2013-01-01T06:30",
        ),
        (
            "{type: monthly, start: 2013-01-01, end: 2013-03-15}",
            "partition: end: monthly partitions begin on the first of a month, not 2013-03-15",
        ),
    ],
)
def test_a_wrong_partition_is_an_error_and_never_an_unpartitioned_asset(
    tmp_path: Path, text: str, problem: str
) -> None:
    meta, problems = read_block(tmp_path, f"partition: {text}")
    assert meta is None
    assert any(problem in found for found in problems), problems


def test_an_unquoted_date_is_a_date(tmp_path: Path) -> None:
    plain = block(tmp_path, "partition: {type: daily, start: 2013-01-01}")
    quoted = block(tmp_path, "partition: {type: daily, start: '2013-01-01'}")
    assert plain == quoted
    assert plain.partition is not None
    assert plain.partition.start == "2013-01-01"


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        (
            "{fail_after: 36h, warn_after: 26h}",
            dg.FreshnessPolicy.time_window(
                fail_window=timedelta(hours=36), warn_window=timedelta(hours=26)
            ),
        ),
        ("{fail_after: 2d}", dg.FreshnessPolicy.time_window(fail_window=timedelta(days=2))),
        (
            "{cron: '0 8 * * *'}",
            dg.FreshnessPolicy.cron(
                deadline_cron="0 8 * * *", lower_bound_delta=timedelta(hours=1), timezone="UTC"
            ),
        ),
        (
            "{cron: '0 8 * * 1-5', within: 90m, timezone: Europe/Berlin}",
            dg.FreshnessPolicy.cron(
                deadline_cron="0 8 * * 1-5",
                lower_bound_delta=timedelta(minutes=90),
                timezone="Europe/Berlin",
            ),
        ),
    ],
)
def test_freshness_forms(tmp_path: Path, text: str, policy: dg.FreshnessPolicy) -> None:
    assert freshness_policy(block(tmp_path, f"freshness: {text}").freshness) == policy


def test_without_freshness_there_is_no_policy() -> None:
    assert freshness_policy(DagsterMeta().freshness) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "give either fail_after (and warn_after), or cron (and within)"),
        ("{fail_after: 1h, cron: '0 8 * * *'}", "give either fail_after"),
        ("{cron: '0 8 * * *', warn_after: 1h}", "warn_after goes with fail_after, not with cron"),
        ("{fail_after: 2h, within: 1h}", "within and timezone go with cron, not with fail_after"),
        ("{fail_after: 1h, warn_after: 1h}", "warn_after must be shorter than fail_after"),
        ("{fail_after: 30s}", "fail_after must be a minute at least"),
        ("{fail_after: 1h, warn_after: 5s}", "warn_after must be a minute at least"),
        ("{cron: '0 8 * * *', within: 5s}", "within must be a minute at least"),
        (
            "{cron: '0 * * * *', within: 2h}",
            "within is longer than the time between two deadlines, 1:00:00",
        ),
        ("{cron: '0 25 * * *'}", "cron: '0 25 * * *' is not a cron schedule of five fields"),
        ("{cron: '@daily'}", "cron: '@daily' is not a cron schedule of five fields"),
        ("{cron: '0 0 31 2 *'}", "cron: '0 0 31 2 *' never ticks: there is no such day"),
        ("{cron: 'H 2 * * *'}", "cron: 'H 2 * * *' is not a cron schedule"),
        ("{cron: 'r 2 * * *'}", "cron: 'r 2 * * *' is not a cron schedule"),
        ("{cron: '0 8 * * *', timezone: UTC+1}", "timezone: 'UTC+1' is not a time zone"),
        (
            "{fail_after: 1h, per_partition: true}",
            "per_partition goes with cron and timezone alone",
        ),
        ("{cron: '0 8 * * *', within: 1h, per_partition: true}", "per_partition goes with cron"),
        ("{cron: '0 8 * * *', per_partition: 1}", "per_partition: must be true or false"),
        ("{fail_after: soon}", "fail_after: must be a duration like 30s, 15m, 36h or 7d"),
    ],
)
def test_wrong_freshness(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in mistake(tmp_path, f"freshness: {text}")


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("{max: 0}", dg.RetryPolicy(max_retries=0, delay=30)),
        ("{max: 3}", dg.RetryPolicy(max_retries=3, delay=30)),
        (
            "{max: 3, delay: 2m, backoff: exponential, jitter: full}",
            dg.RetryPolicy(
                max_retries=3, delay=120, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL
            ),
        ),
        (
            "{max: 1, backoff: linear, jitter: plus_minus}",
            dg.RetryPolicy(
                max_retries=1, delay=30, backoff=dg.Backoff.LINEAR, jitter=dg.Jitter.PLUS_MINUS
            ),
        ),
    ],
)
def test_retries(tmp_path: Path, text: str, policy: dg.RetryPolicy) -> None:
    assert retry_policy(block(tmp_path, f"retries: {text}").retries) == policy


def test_without_retries_nothing_is_tried_again() -> None:
    assert retry_policy(None) == dg.RetryPolicy(max_retries=0)


ACCEPTED = """\
group: flight_ops/raw
description: One row per departure.
owners: ["team:Flight Ops", ana.b+c@my-co.example.com]
tags: {domain: operations, "acme.io/pii": "false", empty: ""}
kinds: [postgres, snowflake, a.b-c_d]
deps: [a/b/c, x-y/z.w]
freshness: {cron: "0 8 * * mon-fri", within: 24h}
pool: a/b_c
"""


def test_what_the_block_takes_dagster_takes(tmp_path: Path) -> None:
    meta = block(tmp_path, ACCEPTED)
    spec = dg.AssetSpec(
        dg.AssetKey(["a"]),
        group_name=meta.group,
        description=meta.description,
        owners=meta.owners,
        tags=meta.tags,
        kinds=set(meta.kinds or ()),
        freshness_policy=freshness_policy(meta.freshness),
    )

    @dg.multi_asset(specs=[spec], pool=meta.pool)
    def load() -> None: ...

    dg.Definitions.validate_loadable(dg.Definitions(assets=[load]))
    assert spec.kinds == {"postgres", "snowflake", "a.b-c_d"}


# --- a stream's block over its file's ---


def merge_texts(general: str, specific: str) -> dict[str, Any]:
    return merge_meta(yaml.safe_load(general), yaml.safe_load(specific), CONFIG_KEYS)


def test_the_more_specific_value_wins_key_by_key() -> None:
    assert merge_texts("{group: a, pool: p, owners: [x]}", "{group: b, owners: [y, z]}") == {
        "group": "b",
        "pool": "p",
        "owners": ["y", "z"],
    }


def test_tags_retries_and_checks_are_merged_inside() -> None:
    assert merge_texts(
        "{tags: {a: '1', b: '2'}, retries: {max: 3, delay: 5s}, checks: {rows: {min: 1}}}",
        "{tags: {b: '3'}, retries: {max: 1}, checks: {schema: no_removed_columns}}",
    ) == {
        "tags": {"a": "1", "b": "3"},
        "retries": {"max": 1, "delay": "5s"},
        "checks": {"rows": {"min": 1}, "schema": "no_removed_columns"},
    }


def test_partition_and_freshness_are_replaced_whole() -> None:
    assert merge_texts(
        "{partition: {type: daily, start: x, timezone: y}, freshness: {fail_after: 1h}}",
        "{partition: {type: static, keys: [a]}, freshness: {cron: '0 8 * * *'}}",
    ) == {
        "partition": {"type": "static", "keys": ["a"]},
        "freshness": {"cron": "0 8 * * *"},
    }


def test_null_switches_an_inherited_value_off() -> None:
    result = merge_texts("{partition: {type: daily}, group: a}", "{partition: null}")
    assert result == {"partition": None, "group": "a"}


CRON = "automation_condition: on_cron_with_deps, automation_condition_config"


def test_another_condition_keeps_only_the_config_that_it_takes() -> None:
    general = f"{{{CRON}: {{cron_schedule: s, deps_since: t, ignore: [a]}}}}"
    assert merge_texts(general, "{automation_condition: on_cron_no_deps}") == {
        "automation_condition": "on_cron_no_deps",
        "automation_condition_config": {"cron_schedule": "s", "ignore": ["a"]},
    }
    assert merge_texts(general, "{automation_condition: on_upstream_change}") == {
        "automation_condition": "on_upstream_change",
        "automation_condition_config": {"ignore": ["a"]},
    }
    assert merge_texts(general, "{automation_condition: manual_only}") == {
        "automation_condition": "manual_only",
        "automation_condition_config": None,
    }
    assert merge_texts(general, "{automation_condition: null}") == {
        "automation_condition": None,
        "automation_condition_config": None,
    }


def test_config_alone_is_merged_over_the_inherited_one() -> None:
    assert merge_texts(
        f"{{{CRON}: {{cron_schedule: s, cron_timezone: z}}}}",
        "{automation_condition_config: {cron_schedule: t}}",
    ) == {
        "automation_condition": "on_cron_with_deps",
        "automation_condition_config": {"cron_schedule": "t", "cron_timezone": "z"},
    }


VALUES = st.recursive(
    st.none() | st.text("ab", max_size=2) | st.integers(0, 3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b", "cron_schedule", "ignore"]), inner, max_size=3)
    ),
    max_leaves=5,
)
BLOCKS = st.dictionaries(
    st.sampled_from(list(DagsterMeta.model_fields)), VALUES, max_size=5
) | st.fixed_dictionaries(
    {
        "automation_condition": st.sampled_from([*CONFIG_KEYS, "unknown"]),
        "automation_condition_config": VALUES,
    }
)


@given(BLOCKS, BLOCKS)
def test_merging_never_changes_its_inputs_and_shares_nothing_that_a_merge_writes(
    general: dict[str, Any], specific: dict[str, Any]
) -> None:
    before = copy.deepcopy((general, specific))
    first = merge_meta(general, specific, CONFIG_KEYS)
    again = merge_meta(first, specific, CONFIG_KEYS)
    assert (general, specific) == before
    assert again == first
    assert {key: first[key] for key in specific if not isinstance(specific[key], dict)} == {
        key: value for key, value in specific.items() if not isinstance(value, dict)
    }
