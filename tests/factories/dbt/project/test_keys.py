"""The asset keys of a dbt project, and what reads what."""

from __future__ import annotations

import pytest

from tests.factories.dbt.written_project import Loaded, WrittenProject

pytestmark = pytest.mark.xdist_group("dbt_shop")  # they share what dbt has parsed

PROJECT = "name: other\nversion: '1.0'\nprofile: other\n"


def test_keys_follow_the_folders(shop_loaded: Loaded) -> None:
    assert set(shop_loaded.specs) == {
        # models/staging/<system>/stg_<system>__<table>, or stg_<table>
        "shop/stg/orders",
        "shop/stg/items",
        # the path below models/; each version is an asset, an ephemeral or disabled model is none
        "marts/sales/totals_v1",
        "marts/sales/totals_v2",
        "marts/sales/forecast",
        "ledger/accounts",
        "ledger/balances",
        "seeds/finance/rates",
        "snapshots/items_history",
        "snapshots/orders_history",
        "snapshots/rates_history",
        # an installed package's, below its name
        "tools/calendar",
        # meta.dagster.asset_key
        "reports/sales/daily",
        # a source outside of RAW
        "exchange_rates/src/daily",
    }


def test_lineage_leads_through_ephemeral_models_to_what_others_produce(
    shop_loaded: Loaded,
) -> None:
    deps = shop_loaded.deps
    assert deps["shop/stg/orders"] == {"shop/raw/orders"}
    assert deps["marts/sales/totals_v2"] == {"shop/stg/items", "shop/stg/orders"}
    assert deps["marts/sales/forecast"] == {"reports/sales/daily"}
    assert deps["snapshots/rates_history"] == {"seeds/finance/rates"}
    assert deps["reports/sales/daily"] == {
        "marts/sales/totals_v2",
        "exchange_rates/src/daily",
        "ml/shop/scores",  # a source's asset_key names the asset that makes it
        "tools/calendar",
        "files/src/targets",  # meta.dagster.deps
    }


def test_a_source_is_in_raw_as_the_target_calls_it(shop: WrittenProject) -> None:
    """A manifest of another target would make raw tables external ones."""
    assert shop.problems(DP_TARGET="pr-7", DP_PREPARE_DBT="") == [
        (
            "dbt_project: its manifest was made for the target 'local', not for 'pr-7':"
            " `python -m factories.dbt.prepare dbt_project` makes it, as `make setup` does"
        )
    ]


@pytest.fixture(scope="module")
def clashing(tmp_path_factory: pytest.TempPathFactory) -> WrittenProject:
    """Two dbt projects, of which the second makes what the first makes, and reads it."""
    two = WrittenProject(tmp_path_factory.mktemp("two"), ("first", "elsewhere/second"))
    common = {
        "models/marts/sales/totals.sql": "select 1 as id\n",
        "models/_sources.yml": """
            sources:
              - name: rates
                tables:
                  - name: daily
                    config: {freshness: {warn_after: {count: 1, period: day}}}
                    columns: [{name: day, data_tests: [not_null]}]
        """,
        "models/staging/shop/stg_shop__rates.sql": "select * from {{ source('rates', 'daily') }}\n",
    }
    two.write({"dbt_project.yml": PROJECT.replace("other", "one"), **common}, "first")
    two.write({"dbt_project.yml": PROJECT.replace("other", "one"), **common}, "elsewhere/second")
    return two


def test_two_projects_of_one_name_that_make_the_same(clashing: WrittenProject) -> None:
    second = "elsewhere/second"
    assert clashing.problems() == [
        (
            f"{second}/dbt_project.yml:1:1: the dbt project one is also in first:"
            " name them differently"
        ),
        *(
            f"{second}/models/{path}.sql:1:1: the table ANALYTICS.MARTS.{table} is loaded here and"
            f" at first/models/{path}.sql:1: name another table"
            for path, table in (
                ("marts/sales/totals", "TOTALS"),
                ("staging/shop/stg_shop__rates", "STG_SHOP__RATES"),
            )
        ),
    ]


def test_two_projects_share_their_sources(clashing: WrittenProject) -> None:
    second = "elsewhere/second"
    clashing.write(
        {
            "dbt_project.yml": PROJECT.replace("other", "two")
            + "models: {two: {+alias: \"{{ 'of_two' }}\"}}\n",
            "models/marts/sales/totals.sql": "{{ config(alias='more', meta={'dagster': {"
            "'asset_key': 'marts/sales/more'}}) }} select * from {{ source('one', 'totals') }}\n",
            "models/staging/shop/stg_shop__rates.sql": "{{ config(enabled=false) }} select 1\n",
            "models/_first.yml": """
                sources:
                  - name: one
                    tables: [{name: totals, config: {meta: {dagster: {
                      asset_key: marts/sales/totals}}}}]
            """,
        },
        second,
    )
    loaded = Loaded.of(clashing.definitions())
    assert set(loaded.specs) == {
        "marts/sales/totals",
        "marts/sales/more",
        "shop/stg/rates",
        "rates/src/daily",
    }
    assert loaded.deps["marts/sales/more"] == {"marts/sales/totals"}
    # Each project asks for itself: the checks of one asset differ in name.
    assert {name: checks for name, checks in loaded.ops.items() if name.endswith("sources")} == {
        "dbt__one__sources": {"source_not_null_rates_daily_day", "source_freshness"},
        "dbt__two__sources": {
            next(n.split(":")[1] for n in loaded.checks if "rates_daily_day_" in n),
            "source_freshness_daily",
        },
    }
    assert len(loaded.checks) == 4
