"""What Sling warns of, or cannot load whole, is a failed stream."""

# dagster-sling reads the annotations of an op: they must not be postponed here.

from typing import Any

import dagster as dg
import pytest
from dagster_sling import SlingResource, sling_assets

from tests.factories.sling.conftest import Project, Source, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sling")]


def test_a_stream_that_loads_other_than_asked_for_fails_and_spares_the_others(
    project: Project, source: Source
) -> None:
    source.execute('create table {s}.alike (id int, "Name" text, name text)')
    project.replication("""
        source: shop
        target: SNOWFLAKE
        defaults: {object: "{s}.{stream_table}"}
        streams:
          {s}.customers: {transforms: {name: nope}}
          {s}.orders:
          cleaned:
            object: "{s}.cleaned"
            sql: select * from {s}.customers
            transforms: [{name: value}]
          {s}.alike:
          same: {object: "{s}.same", sql: 'select id, id as "ID" from {s}.orders'}
    """)

    result = project.run()

    assert set(materialized(result)) == {"orders"}
    failure = result.failure_data_for_node("sling__shop")
    assert failure is not None
    message = failure.error.message
    assert "4 of 5 streams failed" in message
    assert 'customers: Sling warned: did not handle transforms value input: "nope"' in message
    assert "cleaned: Sling warned: did find find transform named" in message
    # Columns that would become one: Sling names them.
    assert 'Column with name "Name" already exists' in message or '"Name" text' in message
    assert '"ID" integer' in message


def test_rows_that_should_be_deleted_and_are_not_fail_a_teams_own_replication(
    project: Project, source: Source
) -> None:
    config = {
        "source": "shop",
        "target": "SNOWFLAKE",
        "streams": {
            f"{source.schema}.customers": {
                "object": f"{source.schema}.customers",
                "mode": "incremental",
                "primary_key": ["id"],
                "target_options": {"delete_missing": "hard"},
            }
        },
    }

    @sling_assets(replication_config=config)
    def own(context: dg.AssetExecutionContext, sling: SlingResource) -> Any:
        yield from sling.replicate(context=context)

    result = dg.materialize(
        [own], instance=project.instance, resources=project.resources(), raise_on_error=False
    )

    failure = result.failure_data_for_node("own")
    assert failure is not None
    assert "Sling warned: invalid or missing token" in failure.error.message
    assert "to enable delete_missing" in failure.error.message
