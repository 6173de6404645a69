"""What is wrong between the nodes of a dbt project, so that a run would not do what is written."""

from __future__ import annotations

from pathlib import Path

from tests.factories.dbt.written_project import WrittenProject

FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\n",
    "models/orders.sql": "select 1 as id\n",
    "models/hidden.sql": """
        {{ config(materialized='ephemeral') }} select * from {{ ref('orders') }}
    """,
    "models/report.sql": "select * from {{ ref('hidden') }}\n",
    "models/monthly.sql": """
        {{ config(
            materialized='incremental',
            meta={'dagster': {'partition': {'type': 'monthly', 'start': '2024-01-01'}}},
        ) }}
        select * from {{ ref('report') }}
    """,
    "models/_models.yml": """
        models:
          - name: orders
            config:
              meta:
                dagster:
                  checks: {rows: {min: 1}}
          - name: report
            # What reads it is built in another step, which Dagster holds back.
            config: {meta: {dagster: {checks: {rows: {min: 1}}}}}
          - name: monthly
            config: {meta: {dagster: {checks: {rows: {min: 1}}}}}
    """,
}


def test_checks_that_block_too_late(tmp_path: Path) -> None:
    project = WrittenProject(tmp_path)
    project.write(FILES)

    assert project.problems() == [
        (
            "dbt_project/models/_models.yml:6:11: checks: dbt builds report in the same step,"
            " before these run: write tests of dbt, which hold it back, or `blocking: false`"
        ),
    ]
