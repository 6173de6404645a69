"""What dbt leaves out with a warning alone is a problem at its line; the rest is in a run's log."""

from __future__ import annotations

from pathlib import Path

import pytest

from factories.dbt.diagnostics.ignored_settings import harmless_warnings
from factories.dbt.prepare import parse_warnings
from tests.factories.dbt.written_project import WrittenProject

pytestmark = pytest.mark.xdist_group("dbt_mistakes")  # they share what dbt has parsed

FILES = {
    "dbt_project.yml": """
        name: wrong
        version: "1.0"
        profile: wrong
        models:
          wrong:
            mart: {+schema: other}
            marts:
              +materialised: table
              +made_by: a macro of ours
            to_come: {+materialized: view}
    """,
    "models/marts/_marts.yml": """
        models:
          - name: ordres
            columns: [{name: id, data_tests: [unique]}]
          - name: orders
            materialized: table
            owner: nobody reads this
            config: {uniqe_key: id}
            columns:
              - name: id
                data_test: [unique]
                data_tests:
                  - relationships: {arguments: {to: ref('rate'), field: id}}
                  - relationships: {arguments: {to: ref('resting'), field: id}}
          - name: rates
            columns: [{name: id, data_tests: [not_null]}]
          - name: resting
            config: {enabled: false}
        modells:
          - name: orders
    """,
    "models/marts/_twice.yml": """
        models:
          - name: lines
            description: One.
            description: Another.
    """,
    "models/marts/orders.sql": "select 1 as id\n",
    "models/marts/resting.sql": "select 1 as id\n",
    "models/marts/lines.sql": "{{ config(incremental_stategy='append') }} select 1 as id\n",
    "seeds/rates.csv": "id,rate\n1,2\n",
}
EXPECTED = """
dbt_project.yml:6:5: 'mart' is not a folder or model: nothing reads its configs; did you mean 'marts'?
dbt_project.yml:8:7: '+materialised' is no config that dbt knows, so nothing reads it; did you mean '+materialized'?
models/marts/_marts.yml:2:11: there is no model 'ordres': dbt leaves its entry out, and its tests; did you mean 'orders'?
models/marts/_marts.yml:5:5: materialized: belongs below config, here nothing reads it
models/marts/_marts.yml:7:14: 'uniqe_key' is no config that dbt knows, so nothing reads it; did you mean 'unique_key'?
models/marts/_marts.yml:10:9: unknown key 'data_test'; did you mean 'data_tests'?
models/marts/_marts.yml:12:50: there is no model, seed or snapshot 'rate': dbt leaves out the test that reads it; did you mean 'rates'?
models/marts/_marts.yml:14:11: rates is a seed: among the models nothing reads its entry
models/marts/_marts.yml:18:1: unknown key 'modells'; did you mean 'models'?
models/marts/_twice.yml:4:5: duplicate key 'description': also on line 3
models/marts/lines.sql:1:11: 'incremental_stategy' is no config that dbt knows, so nothing reads it; did you mean 'incremental_strategy'?
"""  # noqa: E501 - the problems as they are shown


def test_each_is_reported_at_its_place_and_again_when_other_files_changed(tmp_path: Path) -> None:
    project = WrittenProject(tmp_path)
    project.write(FILES)
    expected = [f"dbt_project/{problem}" for problem in EXPECTED.strip().splitlines()]
    assert project.problems() == expected
    project.write({"models/marts/lines.sql": "select 1 as id\n"})
    assert project.problems() == expected[:-1]
    harmless = harmless_warnings(parse_warnings(project.folder))
    assert any("wrong.to_come" in text for text in harmless)
