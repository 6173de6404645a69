"""Sources that dlt's documentation shows, and every paginator and authentication: no problem.

What has no problem here is then built by dlt itself, so the two cannot disagree unseen.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from dlt.sources.rest_api import rest_api_source

from factories.core.yaml.reader import YamlFile
from factories.dlt.config.checking.places import substituted
from factories.dlt.config.source_check import resource_names, source_problems

CLIENTS = {
    "url": 'base_url: "${API_URL}"',
    "literal url, headers": (
        'base_url: https://api.example.com/v1/\nheaders: {X-Version: "2", Authorization: '
        '"Bearer ${TOKEN}"}'
    ),
    "bearer without type": 'base_url: https://a.example\nauth: {token: "${TOKEN}"}',
    "bearer": 'base_url: https://a.example\nauth: {type: bearer, token: "${TOKEN}"}',
    "api key": (
        "base_url: https://a.example\nauth: "
        '{type: api_key, name: X-Key, api_key: "${KEY}", location: header}'
    ),
    "basic": (
        "base_url: https://a.example\nauth: "
        '{type: http_basic, username: reader, password: "${PASSWORD}"}'
    ),
    "oauth2": (
        "base_url: https://a.example\nauth:\n  type: oauth2_client_credentials\n"
        '  access_token_url: https://a.example/token\n  client_id: "${ID}"\n'
        '  client_secret: "${SECRET}"\n  access_token_request_data: {scope: read}\n'
        "  default_token_expiration: 1800"
    ),
}
# In both forms; what each argument is for stands in dlt's documentation.
PAGINATORS = [
    "json_link",
    "json_response",
    "header_link",
    "header_cursor",
    "auto",
    "single_page",
    "cursor",
    "page_number",
    "{type: json_link, next_url_path: pagination.next}",
    "{type: header_link, links_next_key: next_page}",
    "{type: header_cursor, cursor_key: X-Next, cursor_param: after}",
    "{type: offset, limit: 100}",
    (
        "{type: offset, limit: 100, offset: 5, offset_param: skip, limit_param: take, "
        "total_path: null, maximum_offset: 1000, stop_after_empty_page: true}"
    ),
    "{type: offset, limit: 100, offset_body_path: page.offset, limit_body_path: page.limit}",
    "{type: page_number, base_page: 1, page_param: p, total_path: null, maximum_page: 20}",
    "{type: page_number, page_body_path: page.number, has_more_path: more}",
    "{type: cursor, cursor_path: cursors.next, cursor_param: cursor}",
    "{type: cursor, cursor_path: '$.meta.next', cursor_body_path: page.cursor}",
    "{type: auto}",
    "{type: single_page}",
    "null",
]
RESOURCES = {
    "text": "[posts, comments]",
    "endpoint as text": "[{name: posts, endpoint: posts/all}]",
    "no endpoint": "[{name: posts}]",
    "hints": """
        - name: posts
          table_name: blog_posts
          write_disposition: merge
          primary_key: [id, day]
          merge_key: day
          max_table_nesting: 1
          selected: true
          parallelized: true
          table_format: native
          file_format: parquet
          columns:
            id: {data_type: bigint, nullable: false, x-note: free}
            title: {data_type: text, precision: 200}
          schema_contract: {tables: evolve, columns: freeze, data_type: freeze}
          nested_hints: {tags: {write_disposition: append, columns: {tag: {data_type: text}}}}
          references:
            - {referenced_table: users, columns: [user_id], referenced_columns: [id]}
          endpoint: {path: posts, method: POST, data_selector: "results[*]", json: {a: [1, {b: 2}]}}
    """,
    "columns as a list": "[{name: posts, columns: [{name: id, data_type: bigint}]}]",
    "dispositions": """
        - {name: a, write_disposition: skip}
        - {name: b, write_disposition: {disposition: replace}}
        - {name: c, primary_key: id, write_disposition: {disposition: merge, strategy: upsert}}
        - name: d
          write_disposition:
            disposition: merge
            strategy: scd2
            validity_column_names: [valid_from, valid_to]
            active_record_timestamp: "9999-12-31"
        - name: e
          primary_key: id
          write_disposition: {disposition: merge, strategy: delete-insert, deduplicated: true}
    """,
    "dependent by expression": """
        - name: posts
        - name: comments
          include_from_parent: [id, title]
          endpoint: {path: "posts/{resources.posts.id}/comments"}
        - name: likes
          endpoint:
            path: likes
            method: POST
            params: {post: "{resources.posts.id}", literal: "{{braces}}"}
            json: {filter: {"by_{resources.posts.kind}": ["{resources.posts.user.id}"]}}
            headers: {X-Post: "{resources.posts.id}"}
    """,
    "dependent by resolve": """
        - name: posts
        - name: details
          endpoint:
            path: posts/{post_id}
            params:
              post_id: {type: resolve, resource: posts, field: id}
    """,
    "path bound to a parameter": "[{name: a, endpoint: {path: 'x/{b}', params: {b: 1, c: [1]}}}]",
    "incremental": """
        - name: posts
          endpoint:
            path: posts/{incremental.start_value}
            params: {since: "{incremental.start_value}", until: "{incremental.end_value}"}
            incremental:
              cursor_path: updated_at
              initial_value: "${SINCE}"
              end_value: "2024-01-01T00:00:00Z"
              last_value_func: max
              row_order: asc
              lag: 3600
              on_cursor_value_missing: include
              range_start: open
              range_end: closed
              primary_key: id
              allow_external_schedulers: false
    """,
    "incremental with parameters": """
        - name: posts
          endpoint:
            incremental: {cursor_path: at, initial_value: 5, start_param: a, end_param: b}
    """,
    "incremental parameter": """
        - name: posts
          endpoint:
            params:
              since: {type: incremental, cursor_path: updated_at, initial_value: "2024-01-25"}
              per_page: 100
    """,
    "response actions": """
        - name: posts
          endpoint:
            response_actions:
              - {status_code: 404, action: ignore}
              - {content: Not found, action: ignore}
              - {status_code: 200, content: some text, action: ignore}
    """,
    "own paginator, authentication and headers": """
        - name: posts
          endpoint:
            paginator: {type: header_link}
            auth: {type: bearer, token: "${OTHER}"}
            headers: {X-Number: 1}
            data: {a: b}
    """,
    "variables in text": """
        - name: posts
          table_name: "${TABLE}"
          endpoint: {path: "${VERSION}/posts", params: {api_key: "${KEY}", q: "a ${B} c"}}
    """,
}
DEFAULTS = """
    client: {base_url: "${API_URL}", paginator: {type: page_number, total_path: null}}
    resource_defaults:
      primary_key: id
      write_disposition: merge
      columns: {id: {data_type: bigint}}
      endpoint: {params: {per_page: 100, since: "{incremental.start_value}"},
        headers: {X-A: "${A}"}, incremental: {cursor_path: updated_at, initial_value: 1}}
    resources:
      - issues
      - {name: comments, endpoint: {path: "issues/{resources.issues.number}/comments"}}
"""


def problems_of(text: str, folder: Path) -> list[str]:
    data = yaml.safe_load(text)
    file = YamlFile(folder / "p.yaml", "p.yaml", data, text)
    return [str(problem) for problem in source_problems(file, data["source"], folder)]


def assert_valid(rest_api: str, folder: Path) -> None:
    text = "source:\n  rest_api:\n" + textwrap.indent(textwrap.dedent(rest_api), "    ")
    assert problems_of(text, folder) == []
    config: Any = substituted(yaml.safe_load(text)["source"]["rest_api"])
    built = rest_api_source(config)
    assert list(built.resources) == list(resource_names({"rest_api": config}) or ())


def rest_api(*, client: str = 'base_url: "${API_URL}"', resources: str = "[posts]") -> str:
    parts = {"client": client, "resources": resources}
    return "".join(
        f"{key}:\n{textwrap.indent(textwrap.dedent(part).strip(), '  ')}\n"
        for key, part in parts.items()
    )


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_every_authentication(tmp_path: Path, client: str) -> None:
    assert_valid(rest_api(client=client), tmp_path)


@pytest.mark.parametrize("paginator", PAGINATORS)
def test_every_paginator(tmp_path: Path, paginator: str) -> None:
    client = f'base_url: "${{API_URL}}"\npaginator: {paginator}'
    assert_valid(rest_api(client=client), tmp_path)
    resources = f"[{{name: posts, endpoint: {{paginator: {paginator}}}}}]"
    assert_valid(rest_api(resources=resources), tmp_path)


@pytest.mark.parametrize("resources", RESOURCES.values(), ids=RESOURCES)
def test_every_kind_of_resource(tmp_path: Path, resources: str) -> None:
    assert_valid(rest_api(resources=resources), tmp_path)


def test_defaults_of_resources(tmp_path: Path) -> None:
    assert_valid(DEFAULTS, tmp_path)


@pytest.mark.parametrize("auth", ["bearer", "api_key", "http_basic", "oauth2_client_credentials"])
def test_an_authentication_by_its_type_alone_takes_its_values_from_the_environment(
    tmp_path: Path, auth: str
) -> None:
    text = (
        f"source: {{rest_api: {{client: {{base_url: 'https://a', auth: {auth}}}, resources: [a]}}}}"
    )
    assert problems_of(text, tmp_path) == []


@pytest.mark.parametrize(
    "database",
    [
        '{credentials: "${SHOP_URL}"}',
        '{credentials: "sqlite:////tmp/shop.db", schema: main, chunk_size: 1000}',
        '{credentials: "sqlite:///${FOLDER}/shop.db", backend: pyarrow}',
        '{credentials: "${DRIVER}://reader:${PASSWORD}@host:5432/shop"}',
        '{credentials: {drivername: sqlite, database: "${PATH_TO_IT}"}, backend: pandas}',
        '{credentials: {drivername: "${D}", username: a, password: "${P}", port: "${PORT}"}}',
        """
        credentials: "${SHOP_URL}"
        backend: sqlalchemy
        reflection_level: full_with_precision
        defer_table_reflect: true
        backend_kwargs: {tz: UTC}
        engine_kwargs: {pool_pre_ping: true}
        resolve_foreign_keys: true
        included_columns: [a, b]
        detect_precision_hints: null
        resources:
          - {name: orders, table: sales_orders, schema: sales, excluded_columns: [note]}
          - {name: customers, backend: pyarrow, chunk_size: 10}
        """,
        '{resources: [{name: a, credentials: "${A_URL}"}, {name: b, credentials: "${B_URL}"}]}',
    ],
)
def test_databases(tmp_path: Path, database: str) -> None:
    body = textwrap.indent(textwrap.dedent(database), "    ")
    assert problems_of(f"source:\n  sql_database:\n{body}", tmp_path) == []


@pytest.mark.parametrize(
    "files",
    [
        '{bucket_url: "${BUCKET}", resources: [{name: a, file_glob: "*.csv", reader: read_csv}]}',
        """
        bucket_url: /data/landing
        files_per_page: 10
        fetch_file_info: false
        kwargs: {use_ssl: true}
        client_kwargs: {verify: ca.pem}
        resources:
          - {name: a, file_glob: "a/**/*.csv", reader: read_csv, sep: ";", dtype: {x: str}}
          - {name: b, file_glob: "*.jsonl", reader: read_jsonl, chunksize: 5}
          - {name: c, file_glob: "*.parquet", reader: read_parquet, use_pyarrow: true}
        """,
        """
        bucket_url: "${BUCKET}"
        credentials: {aws_access_key_id: "${ID}", aws_secret_access_key: "${KEY}", region_name: eu}
        resources: [{name: a, file_glob: "${GLOB}", reader: read_jsonl}]
        """,
        """
        bucket_url: file:///data
        credentials: "${SERVICE_ACCOUNT}"
        resources: [{name: a, file_glob: "*", reader: read_jsonl}]
        """,
    ],
)
def test_files(tmp_path: Path, files: str) -> None:
    body = textwrap.indent(textwrap.dedent(files), "    ")
    assert problems_of(f"source:\n  filesystem:\n{body}", tmp_path) == []


def test_python(tmp_path: Path) -> None:
    (tmp_path / "days.py").write_text(
        "@dlt.resource\ndef days(start, token=dlt.secrets.value): ...\nmore = days\n"
    )
    text = 'source: {python: days:days, args: {start: 2013-01-01, token: "${TOKEN}"}}'
    assert problems_of(text, tmp_path) == []
    assert problems_of("source: {python: days:more, args: {anything: 1}}", tmp_path) == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{rest_api: {resources: [a, {name: b, endpoint: c}, {endpoint: d}, 5]}}", ("a", "b")),
        ("{rest_api: {resources: wrong}}", ()),
        ("{filesystem: {resources: [{name: a}, {name: a}, {name: b}]}}", ("a", "b")),
        ("{sql_database: {resources: [{name: a}]}}", None),
        ("{python: 'a:b'}", None),
    ],
)
def test_the_resources_that_a_source_declares(source: str, names: tuple[str, ...] | None) -> None:
    assert resource_names(yaml.safe_load(source)) == names
