"""Every mistake in a pipeline's YAML is told: where, what, what is allowed, what was meant.

What is wrong within dlt's own configuration, `source`, is tested with the checks of it.
"""

from __future__ import annotations

import textwrap

import dagster as dg
import pytest

from factories.definitions import read_project
from tests.factories.conftest import YamlProject

PROBLEM_AT = "dlt_pipelines/shop.yaml:"
HEAD = """\
pipeline: shop
dataset: shop
source: {python: "shop:shop"}
resources:
"""


@pytest.fixture
def project(yaml_project: YamlProject) -> YamlProject:
    yaml_project.write("dlt_pipelines/shop.py", "def shop():\n    yield {}\n")
    return yaml_project


def problems(project: YamlProject) -> list[str]:
    return project.problems(dlt="dlt_pipelines")


def problem(project: YamlProject, resources: str) -> str:
    """The only problem of some resources, which begin in line 5."""
    project.write("dlt_pipelines/shop.yaml", HEAD + textwrap.indent(resources, "  "))
    (found,) = problems(project)
    assert found.startswith(PROBLEM_AT), found
    return found.removeprefix(PROBLEM_AT)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (
            "orders: {write_dispositon: merge}",
            "5:12: unknown key 'write_dispositon'; did you mean 'write_disposition'?",
        ),
        (
            "orders: {write_disposition: marge}",
            (
                "5:31: write_disposition: 'marge' is not one of the allowed values;"
                " did you mean 'merge'? (allowed: append, replace, merge)"
            ),
        ),
        (
            "orders: {write_disposition: {disposition: merge, strategy: upsrt}, primary_key: id}",
            "5:62: strategy: 'upsrt' is not one of the allowed values; did you mean 'upsert'?",
        ),
        (
            "orders: {write_disposition: merge}",
            "5:31: write_disposition: merge needs primary_key or merge_key",
        ),
        (
            "orders: {write_disposition: {disposition: merge, strategy: upsert}, merge_key: id}",
            "5:31: strategy upsert needs primary_key",
        ),
        (
            (
                "orders: {primary_key: id, write_disposition:"
                " {disposition: merge, strategy: upsert, deduplicated: true}}"
            ),
            "5:101: deduplicated: only strategy delete-insert takes it",
        ),
        (
            "orders: {}\nitems: {meta: {dagster: {pool: db}}}",
            (
                "6:34: pool: orders has another: the resources of a file are one pipeline of dlt,"
                " which one pool must hold: write it under defaults"
            ),
        ),
        (
            "orders: {write_disposition: {disposition: append, strategy: upsert}}",
            "5:63: strategy: only disposition merge takes it",
        ),
        (
            "orders: {write_disposition: replace, incremental: {cursor_path: at}}",
            (
                "5:31: write_disposition: replace reads everything each time, so incremental has no"
                " effect: leave it out, or use merge or append"
            ),
        ),
        (
            (
                "orders: {write_disposition: {disposition: merge, strategy: cdc}, primary_key: id,"
                " incremental: {cursor_path: at}}"
            ),
            (
                "5:62: strategy: cdc would delete every row that is not new: it takes incremental"
                " only with merge_key or destination_scope"
            ),
        ),
        (
            (
                "orders: {write_disposition: {disposition: merge, strategy: scd2},"
                " incremental: {cursor_path: at}}"
            ),
            "5:62: strategy: scd2 would retire every row that is not new",
        ),
        (
            "orders: {write_disposition: upsert}",
            "5:31: write_disposition: upsert is a strategy of merge: write {disposition: merge,",
        ),
        ("orders: {strategy: upsert}", "5:12: 'strategy' belongs below write_disposition"),
        (
            "orders: {write_disposition: {disposition: merge, merge_strategy: upsert}}",
            "5:52: unknown key 'merge_strategy'; did you mean 'strategy'? (allowed: disposition,",
        ),
        (
            "orders: {replace_strategy: staging-optimized}",
            "5:12: 'replace_strategy' belongs to the file, beside `resources`",
        ),
        ("orders: {checks: {rows: {min: 1}}}", "5:12: 'checks' belongs below meta.dagster"),
        (
            (
                "orders: {write_disposition: {disposition: merge, strategy: scd2,"
                " validity_column_names: [a]}}"
            ),
            "5:91: validity_column_names: needs two names",
        ),
        (
            "orders: {incremental: {cursor_path: at, lag: 1d}}",
            "5:48: lag: must be a number, of seconds, or days for dates, not '1d'",
        ),
        (
            "orders: {incremental: {cursor_path: at, initial_value: {a: 1}}}",
            "5:58: initial_value: must be one value",
        ),
        (
            "orders: {incremental: at}",
            "5:25: incremental: must be a mapping such as {cursor_path: updated_at}, not 'at'",
        ),
        (
            "orders:\nwrite_disposition: replace",
            "6:3: 'write_disposition' is a setting of a resource: indent it below the resource's",
        ),
        (
            "orders: {primary_key: '${SHOP_URL}'}",
            "5:25: ${SHOP_URL}: resources take no variables: write the value",
        ),
        (
            "orders: {description: '${NOT_THERE}'}",
            "5:25: ${NOT_THERE}: resources take no variables: write the value",
        ),
        (
            "orders: {incremental: {cursor_path: at, initial: 1}}",
            "5:43: unknown key 'initial'; did you mean 'initial_value'?",
        ),
        ("orders: {incremental: {}}", "5:12: the key 'cursor_path' is missing"),
        ("orders: {write_disposition: 5}", "5:31: write_disposition: must be text or a mapping"),
        (
            "orders: {incremental: {cursor_path: at, start_param: since}}",
            "5:56: start_param: only rest_api takes it",
        ),
        (
            "orders: {schema_contract: {columns: freze}}",
            "5:39: columns: 'freze' is not one of the allowed values; did you mean 'freeze'?",
        ),
        (
            "orders: {columns: {at: {data_type: timestmp}}}",
            "5:38: data_type: 'timestmp' is not one of the allowed values",
        ),
        (
            "Orders: {}",
            (
                "5:3: 'Orders': give it a table_name of lower-case words of letters and digits,"
                " joined by _"
            ),
        ),
        (
            "orders: {table_name: my-orders}",
            ("5:24: 'my-orders': must be lower-case words of letters and digits, joined by _"),
        ),
        (
            r'orders: {table_name: "orders\n"}',
            (r"5:24: 'orders\n': must be lower-case words of letters and digits, joined by _"),
        ),
        (
            "orders: {meta: {dagster: {automation_condition: on_corn_no_deps}}}",
            (
                "5:51: 'on_corn_no_deps' is not an automation condition; did you mean"
                " 'on_cron_no_deps'?"
            ),
        ),
        (
            "orders: {meta: {dagster: {deps: [shop/raw/orders]}}}",
            "5:35: deps: shop/raw/orders cannot depend on itself",
        ),
    ],
)
def test_mistake_in_a_resource(project: YamlProject, resource: str, expected: str) -> None:
    assert problem(project, resource).startswith(expected)


PARTITIONED = 'meta: {dagster: {partition: {type: daily, start: "2024-01-01"}}}'


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (
            f"orders: {{primary_key: id, incremental: {{cursor_path: at}}, {PARTITIONED}}}",
            "5:3: write_disposition: append would replace or repeat the other partitions' rows",
        ),
        (
            (
                "orders: {write_disposition: merge, merge_key: id, incremental: {cursor_path: at},"
                f" {PARTITIONED}}}"
            ),
            "5:3: a partitioned resource needs primary_key",
        ),
        (
            f"orders: {{write_disposition: merge, primary_key: id, {PARTITIONED}}}",
            "5:3: a partitioned resource needs incremental",
        ),
        (
            (
                "orders: {write_disposition: merge, primary_key: id, incremental: {cursor_path: a},"
                " meta: {dagster: {partition: {type: static, keys: [a]}}}}"
            ),
            "5:121: type: dlt has no static partitions",
        ),
        (
            (
                "orders: {write_disposition: {disposition: merge, strategy: scd2}, primary_key: id,"
                f" incremental: {{cursor_path: a}}, {PARTITIONED}}}"
            ),
            "5:62: strategy: scd2 would retire the rows of the other partitions",
        ),
        (
            (
                "orders: {write_disposition: {disposition: merge, strategy: cdc}, primary_key: id,"
                f" incremental: {{cursor_path: a}}, {PARTITIONED}}}"
            ),
            "5:62: strategy: cdc would delete the rows of the other partitions",
        ),
    ],
)
def test_partition_that_could_not_be_loaded_twice(
    project: YamlProject, resource: str, expected: str
) -> None:
    assert problem(project, resource).startswith(expected)


@pytest.mark.parametrize(
    "options",
    [
        "strategy: cdc, destination_scope: 'day > 7'}, primary_key: id",
        "strategy: cdc}, primary_key: id, merge_key: day",
        "strategy: scd2}, merge_key: day",
    ],
)
def test_what_may_be_deleted_can_be_bounded(project: YamlProject, options: str) -> None:
    project.write(
        "dlt_pipelines/shop.yaml",
        f"{HEAD}  orders: {{write_disposition: {{disposition: merge, {options},"
        " incremental: {cursor_path: at}}\n",
    )

    assert problems(project) == []


def test_cursor_under_the_source_counts_too(project: YamlProject) -> None:
    project.write(
        "dlt_pipelines/shop.yaml",
        """
        pipeline: shop
        dataset: shop
        source:
          rest_api:
            client: {base_url: "https://example.com"}
            resource_defaults: {endpoint: {incremental: {cursor_path: at}}}
            resources: [orders, {name: items, endpoint: {incremental: {cursor_path: at}}}]
        resources:
          orders: {write_disposition: replace}
          items:
            primary_key: id
            write_disposition: {disposition: merge, strategy: cdc}
        """,
    )

    assert [text.split(": ")[2][:27] for text in problems(project)] == [
        "replace reads everything ea",
        "cdc would delete every row ",
    ]


@pytest.mark.parametrize(
    ("resource", "reported"),
    [
        ("{incrmental: {cursor_path: at}}", "unknown key 'incrmental'"),
        ("{incremental: at}", "incremental: must be a mapping"),
        ("{cursor_path: at}", "'cursor_path' belongs below incremental"),
    ],
)
def test_misspelt_cursor_is_reported_once(
    project: YamlProject, resource: str, reported: str
) -> None:
    project.write(
        "dlt_pipelines/shop.yaml",
        f"""
        pipeline: shop
        dataset: shop
        source:
          rest_api:
            client: {{base_url: "https://example.com"}}
            resources:
              - name: orders
                endpoint: {{params: {{since: "{{incremental.start_value}}"}}}}
        resources:
          orders: {resource}
        """,
    )

    (found,) = problems(project)

    assert reported in found


def test_files_that_replace_each_other_are_a_problem(project: YamlProject) -> None:
    project.write(
        "dlt_pipelines/shop.yaml",
        """
        pipeline: shop
        dataset: shop
        source:
          filesystem:
            bucket_url: /files
            resources: [{name: a, file_glob: "*", reader: read_jsonl}]
        resources:
          a: {write_disposition: replace, incremental: {cursor_path: modification_date}}
        """,
    )

    (found,) = problems(project)

    assert "replace with incremental would keep only the rows of new files" in found


def partitioned_yaml(kind: str, form: str, zone: str) -> str:
    partition = f"{{type: {kind}, start: 2024-01-01, timezone: {zone}}}"
    return (
        "orders: {write_disposition: merge, primary_key: id,"
        f" incremental: {{cursor_path: at, datetime_format: '{form}'}},"
        f" meta: {{dagster: {{partition: {partition}}}}}}}"
    )


@pytest.mark.parametrize(
    ("kind", "form", "zone", "reported"),
    [
        ("daily", "%Y-%m-%dT%H:%M:%S%z", "America/New_York", "write +00:00 or Z for %z"),
        ("daily", "%Y-%m-%dT%H:%M:%S.%f%:z", "UTC", "write +00:00 or Z for %:z"),
        ("daily", "%Y-%m-%d %H:%M %Z", "UTC", "write +00:00 or Z for %Z"),
        ("daily", "%Y-%m-%d %Q", "UTC", "'%Q' is not a directive of strftime"),
        (
            "hourly",
            "%Y-%m-%d",
            "UTC",
            "'%Y-%m-%d' leaves out a part of the bound 2024-01-01 01:00: it is '2024-01-01'",
        ),
        ("daily", "%Y-%m-%dZ", "America/New_York", "it is '2024-01-01Z'"),
        ("daily", "%Y-%m", "UTC", "leaves out a part of the bound 2024-01-02 00:00"),
        ("daily", "%m-%d", "UTC", "leaves out a part of the bound 2024-01-01 00:00"),
        (
            "daily",
            "%d.%m.%Y",
            "UTC",
            ("'%d.%m.%Y' does not sort as time does: '31.01.2024' is the time before '01.02.2024'"),
        ),
        ("hourly", "%Y-%m-%d %I %p", "UTC", "does not sort as time does"),
        ("monthly", "%B %Y", "UTC", "does not sort as time does"),
        ("hourly", "date", "UTC", "dates cannot distinguish one hour from the next"),
    ],
)
def test_format_that_would_make_wrong_windows(
    project: YamlProject, kind: str, form: str, zone: str, reported: str
) -> None:
    found = problem(project, partitioned_yaml(kind, form, zone))

    assert ": datetime_format: " in found
    assert reported in found


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("hourly", "%Y-%m-%dT%H:%M:%SZ"),
        ("hourly", "%Y-%m-%dT%H:%M:%S.%f+00:00"),
        ("hourly", "%Y-%m-%d %H"),
        ("daily", "%Y-%m-%d"),
        ("daily", "%Y%j"),
        ("daily", "date"),
        ("hourly", "epoch"),
        ("monthly", "%Y-%m"),
        ("monthly", "%y/%m/%d"),
    ],
)
def test_format_that_can_be_compared(project: YamlProject, kind: str, form: str) -> None:
    resource = textwrap.indent(partitioned_yaml(kind, form, "America/New_York"), "  ")
    project.write("dlt_pipelines/shop.yaml", HEAD + resource)

    assert problems(project) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "dataset: shop\nsource: {python: 'shop:shop'}\nresources: {orders: {}}",
            "1:1: the key 'pipeline' is missing",
        ),
        (
            "pipeline: shop\ndataset: shop\nsource: {}\nresources: {orders: {}}",
            "3:9: source: exactly one of rest_api, sql_database, filesystem, python, not 0",
        ),
        (
            (
                "pipeline: my shop\ndataset: shop\nsource: {python: 'shop:shop'}\n"
                "resources: {orders: {}}"
            ),
            "1:11: pipeline: 'my shop' must be lower-case words of letters and digits",
        ),
        (
            (
                "pipeline: shop\ndataset: shop\nsource: {python: 'shop:shop'}\n"
                "loader_file_format: parket\nresources: {orders: {}}"
            ),
            (
                "4:21: loader_file_format: 'parket' is not one of the allowed values;"
                " did you mean 'parquet'?"
            ),
        ),
        (
            (
                "pipeline: shop\ndataset: shop\nsource: {python: 'shop:shop'}\n"
                "replace_strategy: truncate-and-insert\nresources: {orders: {}}"
            ),
            (
                "4:19: replace_strategy: truncate-and-insert empties a table before it is loaded,"
                " for whoever reads it: insert-from-staging and staging-optimized replace it whole"
            ),
        ),
        (
            "pipeline: shop\ndataset: shop\nsource: {python: 'shop:shop'}\nresources: {}",
            "4:12: resources: must not be empty",
        ),
        (
            (
                "pipeline: shop\ndataset: shop\nsource: {python: 'shop:shop'}\n"
                "resources: {orders: {}}\nresorces: {}"
            ),
            "5:1: unknown key 'resorces'; did you mean 'resources'?",
        ),
        (
            (
                "pipeline: shop\ndataset: shop\nsource: {python: 'shop:shop', filesystem: {}}\n"
                "resources: {orders: {}}"
            ),
            "3:9: source: exactly one of rest_api, sql_database, filesystem, python, not 2",
        ),
        (
            (
                "pipeline: shop\ndataset: shop\nsource: {filesystem: {bucket_url: /a}}\n"
                "resources: {orders: {}}"
            ),
            "3:10: the key 'resources' is missing",
        ),
        (
            (
                "pipeline: shop\ndataset: shop\nsource: {python: 'shop:shop'}\n"
                "defaults:\n  resources: {orders: {}}"
            ),
            "5:3: 'resources' stands below 'defaults', but belongs beside it",
        ),
        (
            (
                "pipeline: shop\ndataset: shop\nsource: {sql_database: {credentials: $SHOP_URL}}\n"
                "resources: {orders: {}}"
            ),
            "3:38: a variable is written ${SHOP_URL}",
        ),
        (
            (
                "pipeline: shop\ndataset: shop\nsource: {sql_database: {credentials:"
                " '${SHOP_URL}', tables: [orders]}}\nresources: {orders: {}}"
            ),
            "3:53: 'tables' is not needed: the file's own `resources` say which tables are loaded",
        ),
        (
            (
                "pipeline: shop\ndataset: shop\nsource: {python: 'shop:shop', arg: {}}\n"
                "resources: {orders: {}}"
            ),
            "3:31: unknown key 'arg'; did you mean 'args'?",
        ),
    ],
)
def test_mistake_in_the_file(project: YamlProject, text: str, expected: str) -> None:
    project.write("dlt_pipelines/shop.yaml", text)

    (found,) = problems(project)

    assert found.removeprefix(PROBLEM_AT).startswith(expected)


def test_all_mistakes_of_all_files_are_reported_at_once(project: YamlProject) -> None:
    project.write(
        "dlt_pipelines/shop.yaml", HEAD + "  orders: {writ: 1}\n  items: {merg_key: id}\n"
    )
    project.write("dlt_pipelines/other.yaml", HEAD.replace("shop:shop", "shop:shp") + "  x: {}\n")

    found = problems(project)

    assert [text.split(": ")[0] for text in found] == [
        "dlt_pipelines/other.yaml:3:18",
        "dlt_pipelines/shop.yaml:1:11",
        "dlt_pipelines/shop.yaml:5:12",
        "dlt_pipelines/shop.yaml:6:11",
    ]
    assert "did you mean 'shop'?" in found[0]


def test_mistake_at_the_top_hides_none_below(project: YamlProject) -> None:
    project.write(
        "dlt_pipelines/shop.yaml",
        """
        pipeline: shop
        datset: shop
        source: {python: "shop:shp"}
        resources:
          orders: {merg_key: id}
          items: 5
          others: {meta: {dagster: {automation_condition: on_corn_no_deps, owners: 5}}}
        """,
    )

    assert [text.split(": ")[1][:20] for text in problems(project)] == [
        "unknown key 'datset'",
        "shop.py has no funct",
        "unknown key 'merg_ke",
        "items",
        "'on_corn_no_deps' is",
        "owners",
    ]


def test_two_pipelines_of_one_name_are_a_problem(project: YamlProject) -> None:
    project.write("dlt_pipelines/a.yaml", HEAD + "  orders: {}\n")
    project.write("dlt_pipelines/b.yaml", HEAD + "  items: {}\n")

    (found,) = problems(project)

    assert found.startswith("dlt_pipelines/b.yaml:1:11: pipeline: a.yaml has a pipeline of this")


def test_one_table_loaded_by_two_tools_is_a_problem(project: YamlProject) -> None:
    project.write("dlt_pipelines/shop.yaml", HEAD + "  orders: {}\n")
    project.replication("ops.orders:")

    (found,) = project.problems(sling="sling", dlt="dlt_pipelines")

    assert "the table RAW.SHOP.ORDERS is loaded here and at sling/shop.yaml:5" in found


def test_undefined_variable_is_reported_with_its_place(project: YamlProject) -> None:
    project.write(
        "dlt_pipelines/shop.yaml",
        HEAD.replace('"shop:shop"}', '"shop:shop"}\nconfig: {runtime: {log_level: "${SHOP_ULR}"}}')
        + "  orders: {}\n",
    )

    (found,) = problems(project)

    assert found.startswith("dlt_pipelines/shop.yaml:4:")
    assert "${SHOP_ULR} is not defined in the environment; did you mean 'SHOP_URL'?" in found


def test_loading_is_not_decided_within_an_apis_own_configuration(project: YamlProject) -> None:
    project.write(
        "dlt_pipelines/shop.yaml",
        """
        pipeline: shop
        dataset: shop
        source:
          rest_api:
            client: {base_url: https://example.com}
            resource_defaults: {write_disposition: merge}
            resources: [{name: orders, table_name: sales, primary_key: id}]
        resources: {orders: {}}
        """,
    )

    reported = "belongs to the resource, under the file's own `resources`"
    assert problems(project) == [
        f"{PROBLEM_AT}6:25: 'write_disposition' {reported}",
        f"{PROBLEM_AT}7:32: 'table_name' {reported}",
    ]


def test_code_version_of_a_python_resource_changes_with_its_module(project: YamlProject) -> None:
    def version() -> str | None:
        (asset,) = read_project(dlt="dlt_pipelines")[1]
        assert isinstance(asset, dg.AssetsDefinition)
        return next(iter(asset.specs)).code_version

    project.write("dlt_pipelines/shop.yaml", HEAD + "  orders: {}\n")
    before = version()
    assert version() == before
    project.write("dlt_pipelines/shop.py", "def shop():\n    yield {'id': 1}\n")

    assert version() != before


KEYS = {
    "1": "{1: a, b: c}",
    "true": "{b: c, true: a}",
    "null": "{b: c, ~: a}",
    "1.5": "{b: c, d: {1.5: a}}",
}
SOURCES = (
    "{rest_api: {client: {base_url: 'https://x.org', headers: <>}, resources: [shop]}}",
    "{rest_api: {client: <>, resources: [shop]}}",
    "{rest_api: <>}",
    "{rest_api: {client: {base_url: 'https://x.org'}, resource_defaults: <>, resources: [shop]}}",
    "{rest_api: {client: {base_url: 'https://x.org'}, resources: [{name: shop, endpoint: <>}]}}",
    *(
        "{rest_api: {client: {base_url: 'https://x.org'}, resources: [{name: shop, endpoint:"
        f" {{path: x, {key}: <>}}}}]}}}}"
        for key in ("params", "json", "paginator", "response_actions", "incremental", "headers")
    ),
    "{sql_database: {credentials: '${SHOP_URL}', engine_kwargs: {connect_args: <>}}}",
    "{sql_database: <>}",
)


@pytest.mark.parametrize("key", KEYS)
def test_keys_of_a_source_that_are_no_text_are_told_where_they_stand(
    project: YamlProject, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("SHOP_URL", "postgresql://x.org/shop")
    for source in SOURCES:
        text = source.replace("<>", KEYS[key])
        project.write(
            "dlt_pipelines/shop.yaml",
            f"pipeline: shop\ndataset: shop\nsource: {text}\nresources: {{shop: {{}}}}\n",
        )
        written = "~" if key == "null" else key
        column = len("source: ") + text.index(f"{written}: a") + 1
        expected = f"{PROBLEM_AT}3:{column}: the key {key} must be text: put it in quotes"
        assert problems(project)[0] == expected, source
        assert len(problems(project)) == 1, source


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ("{python: 'shop:shop', args: {2: a, b: c}}", "2: a"),
        (
            "{filesystem: {bucket_url: /x, resources: [{name: shop, 2: a, reader: read_csv}]}}",
            "2: a",
        ),
    ],
)
def test_arguments_have_names_that_are_text(project: YamlProject, source: str, at: str) -> None:
    project.write(
        "dlt_pipelines/shop.yaml",
        f"pipeline: shop\ndataset: shop\nsource: {source}\nresources: {{shop: {{}}}}\n",
    )
    column = len("source: ") + source.index(at) + 1
    assert problems(project) == [
        f"{PROBLEM_AT}3:{column}: the key 2 must be text: put it in quotes"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "{python: 'shop:arguments', args: {mapping: {1: a, b: c, true: d}}}",
        (
            "{filesystem: {bucket_url: /x, resources: [{name: shop, file_glob: '*',"
            " reader: read_csv, dtype: {0: str, name: str}}]}}"
        ),
    ],
)
def test_values_of_arguments_may_have_any_keys(project: YamlProject, source: str) -> None:
    project.write("dlt_pipelines/shop.py", "def arguments(mapping):\n    yield mapping\n")
    project.write(
        "dlt_pipelines/shop.yaml",
        f"pipeline: shop\ndataset: shop\nsource: {source}\nresources: {{shop: {{}}}}\n",
    )
    assert problems(project) == []


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("{merge_key: day}", "merge_key: only write_disposition merge takes it"),
        (
            (
                "{write_disposition: {disposition: merge, strategy: upsert}, primary_key: id,"
                " merge_key: day}"
            ),
            "merge_key: strategy upsert does not look at it, but at primary_key",
        ),
        (
            (
                "{write_disposition: {disposition: merge, destination_scope: 'day > 1'},"
                " primary_key: id, merge_key: day}"
            ),
            "merge_key: destination_scope says which rows may go, in its place",
        ),
        (
            "{columns: {gone: {hard_delete: true}}}",
            "hard_delete: only write_disposition merge takes it",
        ),
        (
            "{write_disposition: replace, columns: {at: {dedup_sort: desc}}}",
            "dedup_sort: only write_disposition merge takes it",
        ),
        (
            "{write_disposition: merge, merge_key: day, columns: {at: {dedup_sort: desc}}}",
            "dedup_sort: it needs primary_key, which says what rows are the same",
        ),
        (
            (
                "{write_disposition: {disposition: merge, strategy: upsert}, primary_key: id,"
                " columns: {at: {dedup_sort: asc}}}"
            ),
            "dedup_sort: only strategy delete-insert takes it",
        ),
        (
            (
                "{write_disposition: {disposition: merge, strategy: scd2},"
                " columns: {gone: {hard_delete: true}}}"
            ),
            "hard_delete: only strategy delete-insert or upsert or cdc takes it",
        ),
        (
            (
                "{write_disposition: {disposition: merge, deduplicated: true}, primary_key: id,"
                " columns: {at: {dedup_sort: asc}}}"
            ),
            "dedup_sort: deduplicated says that there is nothing to choose from",
        ),
        (
            (
                "{write_disposition: merge, primary_key: id,"
                " columns: {a: {dedup_sort: asc}, b: {dedup_sort: desc}}}"
            ),
            "dedup_sort: one column may have it, and a has it",
        ),
        (
            (
                "{write_disposition: {disposition: merge, strategy: upsert,"
                " row_version_column_name: v}, primary_key: id}"
            ),
            "row_version_column_name: dlt compares it only with skip_unchanged_rows: true",
        ),
        (
            "{incremental: {cursor_path: at, lag: 60}}",
            "lag: append would repeat rows that are there: use merge",
        ),
        ("{columns: {a: {scale: 2}}}", "scale: it needs precision, the number of all digits"),
        (
            "{columns: {a: {data_type: decimal, precision: 12}}}",
            "precision: a decimal needs scale too, the digits after the point: 0 for none",
        ),
        (
            "{columns: {a: {data_type: decimal, precision: 40, scale: 2}}}",
            "precision: must be from 1 to 38, not 40",
        ),
        (
            "{columns: {a: {data_type: decimal, precision: 4, scale: 5}}}",
            "scale: must be from 0 to precision, 4, not 5",
        ),
        (
            "{columns: {a: {data_type: text, timezone: true}}}",
            "timezone: text has none, only timestamp",
        ),
        (
            "{columns: {a: {data_type: double, precision: 5}}}",
            "precision: double has none, only text, binary, timestamp, time, bigint, decimal",
        ),
    ],
)
def test_options_that_dlt_would_ignore_are_told_where_they_stand(
    project: YamlProject, resource: str, expected: str
) -> None:
    place, _, message = problem(project, f"orders: {resource}").partition(": ")

    assert message == expected
    line, column = map(int, place.split(":"))
    written = f"  orders: {resource}"[column - 1 :]
    assert line == 5
    assert not written.startswith(("{write_disposition", "{merge", "{columns"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("with space", None),
        ("größe", None),
        ("a.b", ""),
        ('"with space"', ""),
        ("$.at", ""),
    ],
)
def test_a_cursor_path_that_is_no_json_path_is_told_with_its_quotes(
    project: YamlProject, written: str, expected: str | None
) -> None:
    resource = f"orders: {{incremental: {{cursor_path: '{written}'}}}}"
    project.write("dlt_pipelines/shop.yaml", HEAD + f"  {resource}\n")
    found = problems(project)
    if expected is None:
        (problem_text,) = found
        assert problem_text.startswith(
            f"{PROBLEM_AT}5:39: cursor_path: {written!r} is not a JSON path: "
        )
        assert problem_text.endswith(f"""has quotes of its own: '"{written}"'""")
    else:
        assert found == []
