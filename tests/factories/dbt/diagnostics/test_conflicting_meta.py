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
            materialized='incremental', unique_key='id',
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
          - name: warned
            config:
              meta:
                dagster:
                  checks:
                    severity: warn
                    rows: {min: 1, change: {min: -5%}}
                    sql: {one: {condition: id = 1, severity: error, blocking: false}}
    """,
    "models/warned.sql": "select 1 as id\n",
    "models/reads_warned.sql": "select * from {{ ref('warned') }}\n",
}


def test_checks_that_block_too_late_or_can_never_compare(tmp_path: Path) -> None:
    project = WrittenProject(tmp_path)
    project.write(FILES)

    assert project.problems() == [
        (
            "dbt_project/models/_models.yml:6:11: checks: dbt builds report in the same step,"
            " before these run: write tests of dbt, which hold it back, or `blocking: false`"
        ),
        (
            "dbt_project/models/_models.yml:18:28: change: runs record no rows of a view, so there"
            " is nothing to compare with"
        ),
    ]


def test_window_that_cannot_be_built_twice(tmp_path: Path) -> None:
    configs = {
        "keyed": "unique_key='id'",
        "hooked": "incremental_strategy='append', pre_hook='delete from x'",
        "own": "incremental_strategy='replace_window'",
        "keyless": "incremental_strategy=none",
        "added": "incremental_strategy='append'",
        "overwritten": "incremental_strategy='insert_overwrite', unique_key='id'",
        "batches": "incremental_strategy='microbatch', unique_key='id', event_time='at',"
        " begin='2024-01-01', batch_size='day'",
        "merged": "incremental_strategy='merge'",
    }
    partition = "{'dagster': {'partition': {'type': 'daily', 'start': '2024-01-01'}}}"
    meta = {name: "{}" if name == "merged" else partition for name in configs}
    project = WrittenProject(tmp_path)
    project.write(
        {
            "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\n",
            "models/_models.yml": "models: [{name: days, config: {event_time: at}}]\n",
            "models/days.sql": "select current_timestamp as at\n",
            **{
                f"models/{name}.sql": f"{{{{ config(materialized='incremental', {config},"
                f" meta={meta[name]}) }}}} select * from {{{{ ref('days') }}}}\n"
                for name, config in configs.items()
            },
        }
    )

    found = {p.split(":")[0].rpartition("/")[2]: p.split(": ", 1)[1] for p in project.problems()}

    twice = "a window that is built again would have its rows twice"
    assert found == {
        "merged.sql": "merged: merge needs unique_key: without one dbt adds the rows again at each"
        " run; `append` says that this is meant",
        "keyless.sql": f"partition: keyless has no unique_key, so {twice}; give it one, or delete"
        " the window's rows in a pre-hook",
        "added.sql": f"partition: added appends, so {twice}",
        "overwritten.sql": "partition: overwritten overwrites all of its rows, so a window would"
        " replace the other windows' rows",
        "batches.sql": "partition: batches is a microbatch, whose rows dbt chooses itself by its"
        " event_time, not by a window",
    }
