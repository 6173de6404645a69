"""Asset keys follow one convention."""

from __future__ import annotations

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories.core.meta.keys import asset_key, key_part, parse_key


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("flights", "flights"),
        ("Flight Ops", "flight_ops"),
        ("FLIGHT-OPS", "flight_ops"),
        ("a.b/c", "a_b_c"),
        ("__x__", "x"),
        ("größe", "gr_e"),
        ("2013", "2013"),
        ("—", ""),
    ],
)
def test_key_part(text: str, part: str) -> None:
    assert key_part(text) == part


@given(st.text())
def test_key_part_is_stable_and_plain(text: str) -> None:
    part = key_part(text)
    assert key_part(part) == part
    assert set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


def test_asset_key_names_system_layer_and_table() -> None:
    assert asset_key("Flight Ops", "raw", "FLIGHTS") == dg.AssetKey(
        ["flight_ops", "raw", "flights"]
    )


def test_a_key_in_yaml_is_taken_as_it_is_written() -> None:
    assert parse_key("Marts/ops/daily-x") == dg.AssetKey(["Marts", "ops", "daily-x"])
