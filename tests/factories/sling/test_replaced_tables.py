"""What Sling is given in place of a stream that would drop its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factories.core.secret_mask import SecretMask
from factories.core.warehouse.names import Relation
from factories.sling.replaced_tables import (
    ReplacedTable,
    StreamPlace,
    UnfitOptionError,
    new_table_suffix,
    redirect_streams,
    render_post_sql,
    without_suffix,
)
from factories.sling.replication_config import ResolvedReplication

SUFFIX = new_table_suffix("3f2a8f0e-9e0e-4ba9-8f4a-3f7d4f2b8d11")
ORDERS = Relation("RAW", "SHOP", "ORDERS")
NEW = '"SHOP"."ORDERS__DP_NEW_3F2A8F0E9E0E"'


def redirect(
    stream: dict[str, Any], relation: Relation | None = ORDERS, **defaults: Any
) -> tuple[dict[str, Any], ReplacedTable | None]:
    """What Sling is given for a stream, and how its table is replaced."""
    replication = ResolvedReplication(
        binary="sling",
        settings={"defaults": defaults} if defaults else {},
        streams={"s.t": {"object": "SHOP.ORDERS", **stream}},
        connections={},
        mask=SecretMask(()),
    )
    place = StreamPlace(relation, variables={"stream_name": "s.t"})
    redirected, plans = redirect_streams(replication, {"s.t": place}, SUFFIX)
    return dict(redirected.streams["s.t"]), plans.get("s.t")


@pytest.mark.parametrize(
    ("given", "loaded"),
    [
        ("SHOP.ORDERS", "SHOP.ORDERS__DP_NEW_3F2A8F0E9E0E"),
        ("shop.{stream_table}", "shop.{stream_table}__dp_new_3f2a8f0e9e0e"),
        ('"SHOP"."T"', '"SHOP"."T__DP_NEW_3F2A8F0E9E0E"'),
    ],
)
def test_the_new_table_is_called_as_sling_calls_the_old_one(given: str, loaded: str) -> None:
    stream, _ = redirect({"object": given}, None)

    assert stream["object"] == loaded
    assert without_suffix(loaded) == given


@pytest.mark.parametrize(
    ("stream", "relation"),
    [
        ({"mode": "incremental"}, ORDERS),
        ({"mode": "snapshot"}, ORDERS),
        ({"target_options": {"ignore_existing": True}}, ORDERS),
        ({"mode": "truncate"}, None),  # whose table is not known before
    ],
)
def test_a_stream_that_leaves_its_table_in_place_is_sling_s_own(
    stream: dict[str, Any], relation: Relation | None
) -> None:
    assert redirect(stream, relation) == ({"object": "SHOP.ORDERS", **stream}, None)


def test_ddl_makes_the_new_table_and_other_sql_sees_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "ddl.sql"
    file.write_text('create transient table "SHOP"."ORDERS" (id int) cluster by (id)')

    stream, plan = redirect(
        {
            "where": "kind = '{object_table}'",
            "target_options": {
                "table_ddl": f"file://{file}",
                "pre_sql": "call log('{object_name} {stream_name}')",
                "post_sql": "call done('{object.name} {stream_name} {else}')",
                "table_tmp": "{object_table}_loading",
            },
        }
    )

    assert plan is not None
    assert (plan.transient, plan.clustered, plan.keeps_table) == (True, True, False)
    assert stream["where"] == "kind = 'ORDERS'"
    assert stream["target_options"] == {
        "table_ddl": f"create transient table {NEW} (id int) cluster by (id)",
        "pre_sql": """call log('"SHOP"."ORDERS" {stream_name}')""",
        "post_sql": "",
        "table_tmp": "ORDERS_loading",
    }
    assert render_post_sql(plan, ORDERS) == """call done('"SHOP"."ORDERS" s.t {else}')"""


def test_options_of_the_defaults_hold_and_are_not_run_twice() -> None:
    stream, plan = redirect(
        {"target_options": {"batch_limit": 5}},
        None,
        mode="full-refresh",
        target_options={"post_sql": "select 1", "batch_limit": 9},
    )

    assert plan is not None
    assert plan.post_sql == "select 1"
    assert stream["target_options"] == {"post_sql": "", "batch_limit": 5}


@pytest.mark.parametrize(
    ("options", "relation", "expected"),
    [
        ({"table_ddl": "create table orders (i int)"}, ORDERS, "table_ddl: must call the table {"),
        (
            {"table_ddl": 'create table "SHOP"."T" (i int)'},
            None,
            "table_ddl: must call the table {",
        ),
        ({"pre_sql": "truncate {object_name}"}, None, "pre_sql: write the name of the table in"),
        ({"post_sql": "call f('{stream_full_name}')"}, ORDERS, "post_sql: the variable {stream_f"),
        ({"post_sql": "file:///no/such.sql"}, ORDERS, "post_sql: file:///no/such.sql cannot be"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_stream(
    options: dict[str, Any], relation: Relation | None, expected: str
) -> None:
    with pytest.raises(UnfitOptionError) as refused:
        redirect({"target_options": options}, relation)

    assert str(refused.value).startswith(f"s.t: {expected}")
