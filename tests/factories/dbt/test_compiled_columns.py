"""What dbt's own compiler and the SQL say of columns, at two commits and without a warehouse."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from factories.cli.changes.plan import Plan, compare
from factories.dbt import program
from tests.factories.cli.changes.test_lost_columns import location
from tests.factories.cli.changes.test_plan import asset
from tests.factories.dbt.written_project import WrittenProject

FILES = {
    "dbt_project.yml": """
        name: air
        version: "1.0"
        profile: air
        seeds: {air: {quoted: {+quote_columns: true}}}
    """,
    "seeds/names.csv": "Code,Title\nAA,American\n",
    "seeds/quoted.csv": "Code,Full title\nAA,American\n",
    "models/_sources.yml": """
        sources:
          - name: ops
            database: RAW
            tables:
              - name: flights
                columns: [{name: tail_number}, {name: "Seat count", quote: true}]
              - name: undeclared
    """,
    "models/stg_flights.sql": """
        with source as (select * from {{ source('ops', 'flights') }})
        select tail_number, "Seat count", departed, carrier, updated_at from source
    """,
    "models/short.sql": """
        {{ config(materialized='ephemeral') }}
        select * from {{ ref('stg_flights') }}
    """,
    "models/fleet.sql": """
        select tail_number as plane, "Seat count" * 2 as seats, "Full title" as airline
        from {{ ref('short') }} join {{ ref('quoted') }} on "Code" = carrier
    """,
    "models/all_of_it.sql": "select * exclude (departed) from {{ ref('short') }}",
    "models/history.sql": """
        {{ config(materialized='incremental', unique_key='plane') }}
        select tail_number as plane, departed from {{ ref('stg_flights') }}
        {% if is_incremental() %}
        where updated_at > (select max(departed) from {{ this }})
        {% endif %}
    """,
    "snapshots/_snapshots.yml": """
        snapshots:
          - name: planes
            relation: ref('stg_flights')
            config: {unique_key: tail_number, strategy: check, check_cols: all}
    """,
    "models/versions.sql": "select tail_number, dbt_valid_from from {{ ref('planes') }}",
    "models/pivot.sql": """
        {% set kinds = run_query('select 1') %}
        select {% for kind in kinds %} max(tail_number) as t{{ kind[0] }}, {% endfor %} 1 as one
        from {{ ref('stg_flights') }}
    """,
    "models/star.sql": """
        select u.* from {{ source('ops', 'undeclared') }} u
        join {{ ref('stg_flights') }} f on u.id = f.departed
    """,
    "models/untouched.sql": "select \"CODE\", title from {{ ref('names') }}",
}
CHANGED = {
    **FILES,
    "models/stg_flights.sql": """
        with source as (select * from {{ source('ops', 'flights') }})
        select tail_number as tail, departed, carrier from source
    """,
    "models/history.sql": FILES["models/history.sql"].replace(
        "tail_number as plane", "tail as plane"
    ),
}


def columns(project: WrittenProject) -> dict[str, Any]:
    # As dbt's own program is started: in tests as a fork of a process that has imported it.
    command = [*program.dbt_program()[:-1], "factories.dbt.compiled_columns"]
    done = subprocess.run(
        [*command, str(project.folder), "model.air.stg_flights"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    projects = []
    for files in (FILES, CHANGED):
        project = WrittenProject(tmp_path_factory.mktemp("air"))
        project.write(files)
        projects.append(project)
    with ThreadPoolExecutor() as pool:
        before, after = pool.map(columns, projects)
    return before, after


pytestmark = [pytest.mark.programs, pytest.mark.xdist_group("compiled_columns")]


def name(table: str) -> str:
    return table.rpartition(".")[2].lower()


def test_columns_are_those_of_the_sql(
    builds: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    found = {name(table): facts["columns"] for table, facts in builds[0].items()}
    flights, raw = "ANALYTICS.MARTS.STG_FLIGHTS", "RAW.OPS.FLIGHTS"
    assert found["stg_flights"] == {
        "TAIL_NUMBER": [[raw, "TAIL_NUMBER"]],
        "Seat count": [[raw, "Seat count"]],
        "DEPARTED": [[raw, "DEPARTED"]],
        "CARRIER": [[raw, "CARRIER"]],
        "UPDATED_AT": [[raw, "UPDATED_AT"]],
    }
    assert found["fleet"] == {
        "PLANE": [[flights, "TAIL_NUMBER"]],
        "SEATS": [[flights, "Seat count"]],
        "AIRLINE": [["ANALYTICS.MARTS.QUOTED", "Full title"]],
    }
    assert [*found["all_of_it"]] == ["TAIL_NUMBER", "Seat count", "CARRIER", "UPDATED_AT"]
    assert {"DBT_VALID_FROM", "DBT_SCD_ID", "TAIL_NUMBER"} < found["planes"].keys()
    assert "DBT_IS_DELETED" not in found["planes"]
    assert "untouched" not in found
    assert "short" not in found


def test_a_change_is_told_as_a_reviewer_reads_it(
    builds: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    before, after = builds
    assets = {name(one): asset(one, node=f"model.air.{name(one)}") for one in after}
    graph = {"transformation": location(assets)}
    plan: Plan = compare(graph, graph, (before, after))
    lines = [f"{one.subject} {one.text}" for one in plan.differences]
    assert lines == [
        'all_of_it loses the columns tail_number, "Seat count", updated_at',
        'fleet reads stg_flights."Seat count", which is gone: it will fail',
        "fleet reads stg_flights.tail_number, which is gone: it will fail",
        # Only where its table is there already.
        "history reads stg_flights.updated_at, which is gone: it will fail",
        "planes no longer fills the column tail_number, which versions (tail_number) is made of",
        'planes no longer fills the columns "Seat count", updated_at',
        (
            'stg_flights loses the column "Seat count", which planes ("Seat count"), fleet '
            '(seats), all_of_it ("Seat count") are made of'
        ),
        (
            "stg_flights loses the column tail_number, now tail, which history (plane), planes "
            "(tail_number), fleet (plane) and 2 more are made of"
        ),
        (
            "stg_flights loses the column updated_at, which planes (updated_at), all_of_it "
            "(updated_at) are made of"
        ),
        (
            "versions reads planes.tail_number, which gets no new values, and is missing where "
            "the table is made anew"
        ),
    ]
    assert plan.unknown == {
        "pivot": "asks the warehouse while it is compiled",
        "star": "selects * of RAW.OPS.UNDECLARED, whose columns are not known",
    }
