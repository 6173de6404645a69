"""The names of checks differ within an asset, whatever dbt's tests are called."""

from __future__ import annotations

import dagster as dg

from factories.core.meta.dagster_meta import DagsterMeta
from factories.dbt.project.check_names import CheckNames
from factories.dbt.project.manifest import Manifest, Test

MODEL = "model.shop.orders"
KEY = dg.AssetKey(["shop", "orders"])


def test_tests_of_the_same_name_have_names_of_their_own() -> None:
    ids = [f"test.{package}.positive.positive" for package in ("a", "b", "c", "d", "e")]
    tests = {uid: Test(uid, "positive", "t.sql", MODEL, (), "error", "", False, {}) for uid in ids}
    manifest = Manifest("shop", {}, {}, tests, {}, {})
    checks = CheckNames().of_tests(manifest, {MODEL: (KEY, DagsterMeta())}, {})
    assert [checks[uid].name for uid in ids] == [
        "positive",
        "positive_positive",
        "positive_shop_positive",
        "positive_shop_positive_2",
        "positive_shop_positive_3",
    ]
