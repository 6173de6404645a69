"""`meta.dagster` of dbt projects: where it is written, what wins, and mistakes with their place."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from factories.core.meta.dagster_meta import DagsterMeta
from factories.dbt.project.config_calls import config_call
from tests.factories.dbt.written_project import Loaded, WrittenProject

pytestmark = pytest.mark.xdist_group("dbt_blocks")  # they share what dbt has parsed

MERGED = {
    "dbt_project.yml": """
        name: merged
        version: "1.0"
        profile: merged
        models:
          +meta: {dagster: {tags: {of: all, all: "yes"}, owners: ["team:all"]}}
          merged:
            marts:
              meta:
                dagster:
                  tags: {of: marts}
                  automation_condition: on_cron_no_deps
                  automation_condition_config:
                    cron_schedule: "0 2 * * *"
                    cron_timezone: Europe/Rome
                  retries: {max: 3, delay: 5s}
              sales:
                +meta: {dagster: {group: sales_folder}}
        seeds: {merged: {+meta: {dagster: {group: seeded}}}}
        snapshots: {merged: {+meta: {dagster: {group: kept}}}}
        sources: {merged: {+meta: {dagster: {group: outside, kinds: [excel]}}}}
    """,
    "models/marts/sales/_sales.yml": """
        sources:
          - name: files
            meta: {dagster: {owners: ["team:files"]}}
            tables:
              - name: targets
                config:
                  freshness: {error_after: {count: 2, period: day}}
                  meta: {dagster: {group: targets, automation_condition: on_upstream_change}}
        models:
          - name: from_all
          - name: from_meta
            meta: {dagster: {tags: {of: model}}}
          - name: from_both
            config:
              meta:
                dagster:
                  tags: {of: properties}
                  automation_condition_config: {cron_schedule: "0 3 * * *"}
          - name: versioned
            config: {meta: {dagster: {tags: {of: model}, group: versions}}}
            versions:
              - {v: 1, config: {meta: {dagster: {tags: {of: first}}}}}
              - v: 2
    """,
    "models/marts/sales/from_all.sql": "select * from {{ source('files', 'targets') }}\n",
    "models/marts/sales/from_meta.sql": "select 1 as id\n",
    "models/marts/sales/from_both.sql": """
        {{ config(meta={'dagster': {'tags': {'of': 'sql'}, 'retries': {'max': 1}}}) }}
        select 1 as id
    """,
    "models/marts/sales/made.sql": """
        {% set mine = {'dagster': {'group': 'made'}} %}
        {{ config(meta=mine) }} select 1 as id
    """,
    "models/marts/sales/versioned_v1.sql": "select 1 as id\n",
    "models/marts/sales/versioned_v2.sql": "select 1 as id\n",
    "seeds/s.csv": "a\n1\n",
    "snapshots/s.yml": "snapshots: [{name: snap, relation: ref('s'), config: {unique_key: a,"
    " strategy: check, check_cols: all, meta: {dagster: {tags: {of: snap}}}}}]\n",
}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    project = WrittenProject(tmp_path_factory.mktemp("merged"))
    project.write(MERGED)
    return project.definitions()


@pytest.fixture(scope="module")
def merged(definitions: dg.Definitions) -> Loaded:
    return Loaded.of(definitions)


def tags(loaded: Loaded, name: str) -> dict[str, str]:
    found = loaded.specs[name].tags
    return {key: value for key, value in found.items() if not key.startswith("dagster/")}


@pytest.mark.parametrize(
    ("model", "of"),
    [
        ("from_all", "marts"),
        ("from_meta", "model"),
        ("from_both", "sql"),
        ("made", "marts"),
        ("versioned_v1", "first"),
        ("versioned_v2", "model"),
    ],
)
def test_the_most_specific_place_wins_key_by_key(merged: Loaded, model: str, of: str) -> None:
    """dbt itself would drop `all`, the condition and the owners of all but the first."""
    spec = merged.specs[f"marts/sales/{model}"]
    assert tags(merged, f"marts/sales/{model}") == {"of": of, "all": "yes"}
    assert spec.owners == ["team:all"]
    assert spec.automation_condition is not None
    groups = {"made": "made", "versioned_v1": "versions", "versioned_v2": "versions"}
    assert spec.group_name == groups.get(model, "sales_folder")


def test_mappings_within_a_block_are_merged_too(merged: Loaded) -> None:
    condition = merged.specs["marts/sales/from_both"].automation_condition
    general = merged.specs["marts/sales/from_all"].automation_condition
    assert "0 3 * * *" in repr(condition)
    assert "0 2 * * *" in repr(general)
    assert "Europe/Rome" in repr(condition)


def test_seeds_snapshots_and_sources_have_blocks(merged: Loaded) -> None:
    assert merged.specs["seeds/s"].group_name == "seeded"
    assert merged.specs["snapshots/snap"].group_name == "kept"
    assert tags(merged, "snapshots/snap") == {"of": "snap"}
    source = merged.specs["files/src/targets"]
    assert (source.group_name, source.owners, source.kinds) == (
        "targets",
        ["team:files"],
        {"excel"},
    )


def test_the_condition_of_a_source_is_that_of_its_checks(definitions: dg.Definitions) -> None:
    """Nothing here produces the source, and its update counts all the same."""
    key = dg.AssetCheckKey(dg.AssetKey(["files", "src", "targets"]), "source_freshness")
    (sensor,) = definitions.sensors or ()
    assert key in sensor.asset_selection.resolve_checks(definitions.resolve_asset_graph())
    with dg.DagsterInstance.ephemeral() as instance:
        before = dg.evaluate_automation_conditions(definitions, instance)
        assert before.total_requested == 0
        instance.report_runless_asset_event(dg.AssetMaterialization(key.asset_key))
        after = dg.evaluate_automation_conditions(definitions, instance, cursor=before.cursor)
        assert [r.key for r in after.results if r.true_subset.size] == [key]


WRONG = {
    "dbt_project.yml": """
        name: wrong
        version: "1.0"
        profile: wrong
        models:
          wrong:
            stagging:
              +meta: {dagster: {group: staged}}
            marts:
              +meta:
                dagster:
                  tags: {domain: two words}
                  automation_condition: on_corn_no_deps
                  automation_condition_config: {cron_schedule: "61 * * * *"}
        seeds: {wrong: {+meta: {dagstr: {group: x}, owners: [x]}}}
        sources: {wrong: {+meta: {dagster: {retries: {max: 2}}}}}
    """,
    "models/staging/_staging.yml": """
        sources:
          - name: shop
            database: RAW
            meta: {dagster: {group: shop}}
            tables:
              - name: orders
                config: {meta: {dagster: {asset_key: "a b"}}}
              - name: items
        models:
          - name: ordres
            meta: {dagster: {group: g}}
          - name: orders
            config:
              meta:
                dagster:
                  ownrs: ["team:x"]
                  partition: {type: daili, start: "2013-01-01"}
          - name: asleep
            config: {enabled: false, meta: {dagster: {group: not-a-group}}}
          - name: items
            meta:
              dagster:
                owners: ["${OWNER}"]
                description: "{{ target.name }}"
                group: one
                group: two
          - {name: text, meta: {dagster: manual_only}}
          - name: window
            config:
              meta:
                dagster: {partition: {type: daily, start: "2013-01-01"}, deps: [staging/window]}
          - name: versioned
            versions:
              - v: 1
                config: {meta: {dagster: {pool: "a b"}}}
          - {name: same, meta: {dagster: {asset_key: staging/text, data_version: content}}}
    """,
    **{
        f"models/staging/{name}.sql": "select 1 as id\n"
        for name in ("orders", "items", "text", "window", "same", "asleep", "versioned")
    },
    "models/marts/in_sql.sql": """
        {# The dagster block is below. #}
        -- dagster
        {{
            config(
                materialized='table',
                meta={
                    'dagster': {
                        'tags': {'domain': 'one'},
                        'freshness': {
                            'fail_after': 'soon',
                        },
                        'kind': 'x', 'owners': ['ana'],
                    },
                },
            )
        }}
        select 'dagster' as dagster
    """,
    "models/marts/misplaced.sql": """
        {{ config(meta={'dagstr': {}, 'group': 'x'}) }}
        select 1 as id
    """,
    "models/marts/variable.sql": "{{ config(meta=dict(dagster=dict(group='${GROUP}'))) }}\n",
    "models/marts/text_in_sql.sql": "{{ config(meta={'dagster': 'never'}) }} select 1 as id\n",
    "models/marts/in_python.py": """
        def model(dbt, session):
            # dagster
            dbt.config(
                materialized="table",
                meta={"dagster": {"retries": {"max": "often"}}},
            )
            return dbt.ref("orders")
    """,
    "snapshots/both.sql": """
        {% snapshot first %}
        {{ config(unique_key='id', strategy='check', check_cols='all',
                  meta={'dagster': {'group': 'kept'}}) }}
        select * from {{ ref('orders') }}
        {% endsnapshot %}
        {% snapshot second %}
        {{ config(unique_key='id', strategy='check', check_cols='all',
                  meta={'dagster': {'group': 'not kept'}}) }}
        select * from {{ ref('orders') }}
        {% endsnapshot %}
    """,
    "seeds/s.csv": "a\n1\n",
}


PROBLEMS = """
dbt_project.yml:6:5: 'stagging' is not a folder or model: nothing reads its dagster block; did you mean 'staging'?
dbt_project.yml:11:26: domain: 'two words' is not a tag's value: letters, digits, '_', '-' and '.', 63 at most
dbt_project.yml:12:33: 'on_corn_no_deps' is not an automation condition; did you mean 'on_cron_no_deps'? (allowed: on_cron_no_deps, on_cron_with_deps, on_upstream_change, manual_only)
dbt_project.yml:14:25: unknown key 'dagstr'; did you mean 'dagster'?
dbt_project.yml:14:45: owners: belongs below meta.dagster, here nothing reads it
dbt_project.yml:15:37: retries: dbt does not build a source, so nothing reads it here (allowed: asset_key, automation_condition, automation_condition_config)
models/marts/in_python.py:5:39: max: must be a whole number, not 'often'
models/marts/in_sql.sql:10:21: fail_after: must be a duration like 30s, 15m, 36h or 7d
models/marts/in_sql.sql:12:17: unknown key 'kind'; did you mean 'kinds'? {keys}
models/marts/in_sql.sql:12:30: owners[0]: 'ana' is neither an email address nor team:NAME
models/marts/misplaced.sql:1:17: unknown key 'dagstr'; did you mean 'dagster'?
models/marts/misplaced.sql:1:31: group: belongs below meta.dagster, here nothing reads it
models/marts/text_in_sql.sql:1:17: must be a mapping
models/marts/variable.sql:1:34: ${GROUP}: dagster takes no variables: write the value
models/marts/variable.sql:1:34: group: '${GROUP}' is not a group name: letters, digits and '_', in parts by '/'
models/staging/_staging.yml:4:22: group: shop/raw/items is described where it is produced (allowed: asset_key, automation_condition, automation_condition_config)
models/staging/_staging.yml:7:46: asset_key: 'a b' is not an asset key like flight_ops/raw/flights
models/staging/_staging.yml:10:11: there is no model 'ordres': nothing reads its dagster block; did you mean 'orders'?
models/staging/_staging.yml:16:11: unknown key 'ownrs'; did you mean 'owners'? {keys}
models/staging/_staging.yml:17:29: type: 'daili' is not one of the allowed values; did you mean 'daily'? (allowed: hourly, daily, weekly, monthly, static)
models/staging/_staging.yml:19:54: group: 'not-a-group' is not a group name: letters, digits and '_', in parts by '/'
models/staging/_staging.yml:23:18: ${OWNER}: dagster takes no variables: write the value
models/staging/_staging.yml:24:22: dagster takes no Jinja: write the value
models/staging/_staging.yml:26:9: duplicate key 'group': also on line 25
models/staging/_staging.yml:27:1: the asset key staging/text is produced here and at dbt_project/models/staging/_staging.yml:36: set asset_key on one of them
models/staging/_staging.yml:27:34: must be a mapping
models/staging/_staging.yml:31:19: partition: window is a view: a window would replace the other windows' rows, so it must be incremental
models/staging/_staging.yml:31:73: deps: staging/window cannot depend on itself
models/staging/_staging.yml:35:41: pool: 'a b' is not a pool name: letters, digits, '_' and '/' only
models/staging/_staging.yml:36:60: data_version: same is a view, whose rows change without a run: it always counts as changed
snapshots/both.sql:8:29: group: 'not kept' is not a group name: letters, digits and '_', in parts by '/'
"""  # noqa: E501 - the problems as they are shown


def test_all_mistakes_at_once_each_once_and_where_it_is(tmp_path: Path) -> None:
    project = WrittenProject(tmp_path)
    project.write(WRONG)
    keys = ", ".join([*list(DagsterMeta.model_fields)[:12]])
    expected = PROBLEMS.replace("{keys}", f"(allowed: {keys} and 4 more)")
    found = [problem.removeprefix("dbt_project/") for problem in project.problems()]
    assert found == expected.strip().splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "select 1 -- config(meta={'dagster': {}})",
        "{# config(meta={'dagster': {}}) #} select 1",
        "{{ config(materialized='table') }} select '{{ var('dagster') }}'",
        "{% raw %}{{ config(meta={'dagster': {}}) }}{% endraw %}",
        "{{ configure(meta={'dagster': {}}) }}",
    ],
)
def test_what_is_not_a_config_call(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.sql"
    path.write_text(text)
    assert config_call(path, "model") is None
