"""Every mistake in Sling YAML is told: where, what, what is allowed, what was meant."""

from __future__ import annotations

import pytest

from factories.core.yaml.problems import ConfigError
from tests.factories.conftest import YamlProject

PROBLEM_AT = "sling/shop.yaml:"


def problem(project: YamlProject, streams: str, head: str = "") -> str:
    project.replication(streams, head=head)
    (found,) = project.problems()
    assert found.startswith(PROBLEM_AT), found
    return found.removeprefix(PROBLEM_AT)


# --- connections ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "connections: {shop: {type: postgers, url: x}}",
            "1:28: 'postgers' is not a connection type of Sling; did you mean 'postgres'?",
        ),
        ("connections: {shop: {url: x}}", "1:15: the key 'type' is missing"),
        ("connections: {shop: 5}", "1:21: shop: must be text or a mapping, not 5"),
        (
            "connections: {shop: {type: mysql}, Snowflake: {type: snowflake}}",
            "1:36: SNOWFLAKE is the target, which DP_TARGET chooses: leave it out here",
        ),
        (
            "connections: {shop: {type: mysql}, SHOP: {type: mysql}}",
            "1:36: 'SHOP' and 'shop' are the same name to Sling",
        ),
        (
            "connections: {shop: {type: mysql}, home: {type: mysql}}",
            "1:36: 'home' is an environment variable of Sling's process: choose another name",
        ),
        (
            "connections: {shop: {type: mysql}, sling_temp_dir: {type: mysql}}",
            (
                "1:36: 'sling_temp_dir' is an environment variable of Sling's process:"
                " choose another name"
            ),
        ),
        (
            "connections: {shop: {type: mysql}, a=b: {type: mysql}}",
            "1:36: 'a=b' is not a connection name: a letter, then letters, digits, '_' and '-'",
        ),
        (
            r'connections: {shop: {type: mysql}, "a\n": {type: mysql}}',
            r"1:36: 'a\n' is not a connection name: a letter, then letters, digits, '_' and '-'",
        ),
        (
            "connections: {shop: mysql}",
            "1:21: shop: a connection is a URL like postgres://…, or a mapping with its type",
        ),
        (
            "connections: {shop: 'postgers://db.example.com/shop'}",
            "1:21: shop: postgers:// is not a connection type of Sling; did you mean 'postgres'?",
        ),
        (
            "connections: {shop: {type: postgres, pasword: x}}",
            "1:38: 'pasword' is not a property of postgres; did you mean 'password'?",
        ),
        (
            "connections: {shop: {type: postgres, sslrootcert: ca.pem}}",
            (
                "1:38: 'sslrootcert' is not a property of postgres (allowed: host, user, username,"
                " password, port, database, schema, ssh_tunnel, ssh_private_key, ssh_passphrase,"
                " use_bulk, allow_bulk_import and 7 more)"
            ),
        ),
        (
            "connections: {shop: {type: mysql, readTimout: 5s}}",
            "1:35: 'readTimout' is not a property of mysql; did you mean 'readTimeout'? (allowed:",
        ),
        (
            "connections: {shop: {type: sftp, Host: x}}",
            "1:34: 'Host' is not a property of sftp; did you mean 'host'?",
        ),
        (
            "connections: {shop: {type: mysql, host: [a, b]}}",
            '1:41: host: must be text, not ["a", "b"]',
        ),
        (
            "connections: {shop: {type: mysql, password: 0123}}",
            "1:45: password: must be text, not 123: put it in quotes",
        ),
        ("connections: {shop: {type: trino, host: }}", "1:41: host: must be text, not empty"),
        (
            "connections: {shop: {type: mysql, port: {a: 1}}}",
            '1:41: port: must be a port from 1 to 65535, not {"a": 1}',
        ),
        (
            "connections: {shop: {type: mysql, port: abc}}",
            "1:41: port: must be a port from 1 to 65535, not 'abc'",
        ),
        (
            "connections: {shop: {type: mysql, port: 70000}}",
            "1:41: port: must be a port from 1 to 65535, not 70000",
        ),
        (
            "conections: {shop: {type: mysql}}",
            "1:1: unknown key 'conections'; did you mean 'connections'? (allowed: connections)",
        ),
    ],
)
def test_wrong_connection_is_reported_and_nothing_that_follows_from_it(
    yaml_project: YamlProject, text: str, expected: str
) -> None:
    yaml_project.write("sling/connections.yaml", text)
    yaml_project.replication("public.orders:")
    problems = yaml_project.problems()
    assert problems
    assert all(found.startswith("sling/connections.yaml:") for found in problems)
    assert any(found.startswith(f"sling/connections.yaml:{expected}") for found in problems)


def test_properties_that_sling_may_know_are_passed_on(yaml_project: YamlProject) -> None:
    yaml_project.write(
        "sling/connections.yaml",
        """
        connections:
          shop: {type: postgres, host: "${SHOP_URL}", port: "${SHOP_URL}", role: reader}
          cluster: {type: redshift, host: h, of_the_driver: [1]}
          files: {type: sftp, host: h, port: 22}
          old: {type: mysql, host: h, port: "3306", user: u, password: "", parseTime: true}
          lake: {type: trino, pasword: x, http_headers: {a: b}}
          mongo: "mongodb+srv://h/d"
          any: "${SHOP_URL}"
        """,
    )
    assert yaml_project.problems() == []


def test_a_source_that_is_not_listed(yaml_project: YamlProject) -> None:
    yaml_project.write(
        "sling/a.yaml",
        "source: shpo\ntarget: SNOWFLAKE\nstreams: {public.t: {object: s.t}}\n",
    )
    assert yaml_project.problems() == [
        (
            "sling/a.yaml:1:9: source: 'shpo' is not in connections.yaml; did you mean 'shop'?"
            " (allowed: shop)"
        )
    ]


def test_without_connections_no_source_is_known(yaml_project: YamlProject) -> None:
    (yaml_project.root / "sling/connections.yaml").unlink()
    yaml_project.replication("public.orders:")
    assert yaml_project.problems() == [
        "sling/shop.yaml:1:9: source: 'shop' is not in connections.yaml"
    ]


def test_the_sources_case_does_not_matter_to_sling_nor_here(yaml_project: YamlProject) -> None:
    yaml_project.write(
        "sling/a.yaml", "source: SHOP\ntarget: snowflake\nstreams: {public.t: {object: s.t}}\n"
    )
    assert set(yaml_project.specs()) == {"shop/src/t", "shop/raw/t"}


def test_another_target_is_refused(yaml_project: YamlProject) -> None:
    yaml_project.write(
        "sling/a.yaml", "source: shop\ntarget: REDSHIFT\nstreams: {public.t: {object: s.t}}\n"
    )
    assert yaml_project.problems() == [
        "sling/a.yaml:2:9: target: must be SNOWFLAKE: all data ends in the warehouse"
    ]


# --- streams ---


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        (
            "public.orders: {mod: truncate}",
            "5:19: unknown key 'mod'; did you mean 'mode'? (allowed: object, mode,",
        ),
        (
            "public.orders: {mode: incremantal, primary_key: id}",
            (
                "5:25: mode: 'incremantal' is not one of the allowed values;"
                " did you mean 'incremental'?"
            ),
        ),
        (
            "public.orders: {source_options: {emtpy_as_null: true}}",
            (
                "5:36: unknown key 'emtpy_as_null'; did you mean 'empty_as_null'?"
                " (allowed: empty_as_null,"
            ),
        ),
        (
            "public.orders: {target_options: {column_casing: snakes}}",
            (
                "5:51: column_casing: 'snakes' is not one of the allowed values;"
                " did you mean 'snake'?"
            ),
        ),
        (
            "public.orders: {source_options: {flatten: deep}}",
            "5:45: flatten: must be true or false or a whole number, not 'deep'",
        ),
        (
            "public.orders: {mode: truncate, target_options: {adjust_column_type: true}}",
            (
                "5:72: adjust_column_type: mode: truncate keeps the table's types; mode:"
                " full-refresh has those of the source"
            ),
        ),
        (
            "public.orders: {target_options: {table_ddl: create table orders (id int)}}",
            "5:47: table_ddl: must call the table {object_name}: Sling puts its name there",
        ),
        (
            'public.orders: {target_options: {post_sql: "{stream_table} {timestamp.date}"}}',
            "5:46: post_sql: the variable {timestamp.date} is not known here",
        ),
        (
            "s3://b/a.csv: {object: s.a, target_options: {post_sql: 'call {stream_table}'}}",
            "5:58: post_sql: the variable {stream_table} is not known here",
        ),
        ("public.orders: [a]", '5:18: public.orders: must be a mapping, not ["a"]'),
        ("5: {object: s.t}", "5:6: streams[5]: must be text, not 5: put it in quotes"),
        (
            "public.*:",
            "5:3: 'public.*' would be one asset for many tables: list each, as public.my_table:",
        ),
        (
            "a.b.c.d: {object: s.d}",
            "5:3: 'a.b.c.d' has more parts than database.schema.table",
        ),
        ("'': {object: s.t}", "5:3: '' names no table"),
        (
            "public.orders: {object: orders}",
            "5:27: object: 'orders' does not give schema.table",
        ),
        (
            "public.orders: {object: 's.{stream_tabel}'}",
            (
                "5:27: object: the variable {stream_tabel} is not known here;"
                " did you mean '{stream_table}'? (allowed: {stream_table},"
            ),
        ),
        (
            "s3://bucket/orders.csv:",
            (
                "5:3: object: {stream_table} of 'shop.{stream_table}' is empty for this stream:"
                " write the name"
            ),
        ),
        (
            "public.orders: {mode: incremental}",
            "5:25: mode: incremental needs primary_key, update_key or both",
        ),
        (
            "public.orders: {mode: backfill, primary_key: id, update_key: t}",
            "5:25: mode: backfill needs source_options.range, or a partition",
        ),
        (
            "public.orders: {mode: backfill, source_options: {range: 'a,b'}}",
            "5:25: mode: backfill needs primary_key and update_key",
        ),
        (
            "public.—: {object: 's.{stream_table}'}",
            "5:3: 'public.—' has no letters or digits to make an asset key of: set asset_key",
        ),
        (
            "public.orders: {meta: {dagster: {deps: [a/b, shop/raw/orders]}}}",
            "5:42: deps: shop/raw/orders cannot depend on itself",
        ),
        (
            "public.Order Lines:",
            ('5:3: \'public.Order Lines\' is a query to Sling: put its parts in ", as "my table"'),
        ),
        ("'public.\"orders':", "5:3: 'public.\"orders' has a \" too many: Sling pairs them"),
        (
            '\'public."a""b"\': {object: s.t}',
            '5:3: \'public."a""b"\' has two " in a row, which are the end of one name to Sling',
        ),
        (
            'public."it\'s": {object: s.t}',
            "5:3: 'public.\"it\\'s\"' has a ', which Sling puts into its SQL as it is: give it",
        ),
        (
            '"public.a\\nb": {object: s.t}',
            "5:3: 'public.a\\nb' has a line break: Sling's log could not tell what became of it",
        ),
        (
            "'public.\"a?b\"':",
            "5:3: 'public.\"a?b\"' would be one asset for many tables: list each",
        ),
        (
            "'q*': {object: s.q, sql: select 1}",
            "5:3: 'q*' is a pattern to Sling: a query's name has neither * nor ?",
        ),
        (
            "'my query': {sql: select 1}",
            "5:3: object: {stream_table} of 'shop.{stream_table}' is empty for this stream",
        ),
        (
            "public.orders: {object: 'shop.\"orders\"'}",
            (
                "5:27: object: 'shop.\"orders\"' has names in quotes, which Snowflake would know in"
                " quotes alone: write them without"
            ),
        ),
        ("public.orders: {meta: text}", "5:25: must be a mapping"),
        ("public.orders: {meta: {dagster: [a]}}", "5:35: must be a mapping"),
        (
            "public.orders: {meta: {dagster: {gruop: x}}}",
            "5:36: unknown key 'gruop'; did you mean 'group'? (allowed: automation_condition,",
        ),
        (
            "public.orders: {meta: {dagster: {automation_condition: on_corn_no_deps}}}",
            (
                "5:58: 'on_corn_no_deps' is not an automation condition; did you mean"
                " 'on_cron_no_deps'?"
            ),
        ),
    ],
)
def test_wrong_stream(yaml_project: YamlProject, streams: str, expected: str) -> None:
    assert problem(yaml_project, streams).startswith(expected)


@pytest.mark.parametrize("mode", ["incremental", "backfill"])
def test_a_query_says_where_the_condition_of_what_is_new_belongs(
    yaml_project: YamlProject, mode: str
) -> None:
    options = "source_options: {range: '1,2'}, " if mode == "backfill" else ""
    stream = f"q: {{mode: {mode}, primary_key: id, update_key: day, object: a.b, {options}sql: %s}}"
    found = problem(yaml_project, stream % "select 1")
    assert found.startswith(
        f"5:{stream.index('%s') + 3}: sql: mode {mode} with update_key needs"
        " {incremental_where_cond} or {incremental_value} in the query"
    )
    for query in (
        "'select * from t where {incremental_where_cond}'",
        "'select * from t where day > coalesce({incremental_value}, 0)'",
        "file://query.sql",
    ):
        yaml_project.replication(stream % query)
        assert yaml_project.problems() == []
    # Without an update_key everything is read, and a partition has a condition of its own.
    yaml_project.replication("""
        q: {mode: incremental, primary_key: id, object: a.b, sql: select 1}
        p:
          mode: incremental
          primary_key: id
          update_key: day
          object: a.c
          sql: select 1
          meta: {dagster: {partition: {type: daily, start: "2024-01-01"}}}
    """)
    assert yaml_project.problems() == []


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (
            "defaults: {object: s.t, mdoe: truncate}",
            "3:25: unknown key 'mdoe'; did you mean 'mode'?",
        ),
        (
            "defaults:\n  object: s.t\n  meta:\n    dagster:\n      gruop: x",
            "7:7: unknown key 'gruop'; did you mean 'group'?",
        ),
        (
            "defaults: {object: 's.t', meta: {dagster: {tags: {pii: no way}}}}",
            "3:56: pii: 'no way' is not a tag's value",
        ),
        ("defaults: {object: 's.{stream_tabel}'}", "3:20: object: the variable {stream_tabel} is"),
        ("defaults: {}", "5:3: the key 'object' is missing, here and in defaults"),
        (
            "defaults: {object: s.t, mode: incremental}",
            "5:3: mode: incremental needs primary_key, update_key or both",
        ),
        ("defaults: text", "3:11: defaults: must be a mapping, not 'text'"),
        ("defaults: {object: s.t}\nstreans: {}", "4:1: unknown key 'streans'"),
    ],
)
def test_a_mistake_in_defaults_is_reported_once_and_a_broken_rule_at_the_stream(
    yaml_project: YamlProject, head: str, expected: str
) -> None:
    streams = "public.orders: {meta: {dagster: {tags: {a: b}}}}"
    assert problem(yaml_project, streams, head).startswith(expected)


def test_a_misspelt_dagster_block_is_not_passed_over(yaml_project: YamlProject) -> None:
    found = problem(yaml_project, "ops.x: {meta: {dagstr: {group: a}, owner_of_this: me}}")

    assert found == "5:18: unknown key 'dagstr'; did you mean 'dagster'?"


def test_a_key_of_the_dagster_block_that_stands_beside_it_is_reported(
    yaml_project: YamlProject,
) -> None:
    found = problem(yaml_project, "ops.x: {meta: {automation_condition: manual_only}}")

    assert found == "5:18: automation_condition: belongs below meta.dagster, here nothing reads it"


def test_the_dagster_block_takes_no_variables(
    yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRON", "0 5 * * *")

    found = problem(yaml_project, 'ops.x: {meta: {dagster: {description: "at ${CRON}"}}}')

    assert found == "5:41: ${CRON}: dagster takes no variables: write the value"


def test_defaults_that_are_all_commented_out_are_none(yaml_project: YamlProject) -> None:
    head = "defaults:\n#  mode: truncate\nenv:\n"
    yaml_project.replication("public.orders: {object: s.t}", head=head)
    assert yaml_project.problems() == []


def test_each_stream_that_breaks_a_rule_is_named(yaml_project: YamlProject) -> None:
    yaml_project.replication(
        "public.a:\npublic.b: {primary_key: id}\npublic.c:",
        head="defaults: {object: 's.{stream_table}', mode: incremental}",
    )
    assert [text.split(": ")[0] for text in yaml_project.problems()] == [
        "sling/shop.yaml:5:3",
        "sling/shop.yaml:7:3",
    ]


def test_a_file_without_streams(yaml_project: YamlProject) -> None:
    yaml_project.write("sling/a.yaml", "source: shop\ntarget: SNOWFLAKE\nstreams: {}\n")
    yaml_project.write("sling/b.yaml", "source: shop\ntarget: SNOWFLAKE\n")
    assert yaml_project.problems() == [
        "sling/a.yaml:3:10: streams: must not be empty",
        "sling/b.yaml:1:1: the key 'streams' is missing",
    ]


# --- what Sling would pass over ---


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            "mode: incremental, primary_key: id, target_options: {delete_missing: hard}",
            (
                "'delete_missing' needs a paid token of Sling's, without which Sling warns and goes"
                " on: rows that the source no longer has would stay; mode: full-refresh and mode:"
                " truncate leave none"
            ),
        ),
        ("target_options: {delete_missing: soft}", "'delete_missing' needs a paid token"),
        ("source_options: {chunk_size: 1d}", "'chunk_size' needs a paid token of Sling's"),
        ("hooks: {pre: []}", "'hooks' needs a paid token of Sling's"),
        ("source_options: {trim_space: true}", "'trim_space' is none of Sling's options: write"),
        ("source_options: {offset: 5}", "'offset' is not applied by Sling"),
        ("source_options: {limit: 0}", "limit: must be greater than or equal to 1, not 0"),
        (
            "target_options: {table_keys: {clustre: [id]}}",
            "clustre: 'clustre' is not one of the allowed values; did you mean 'cluster'?",
        ),
        ("files: [a.csv]", "'files' is not applied by Sling, which reads the whole folder"),
        ("sql: select 1, where: a > 1", "where: Sling does not apply it to sql: write it in the"),
        ("sql: select 1, select: [a]", "select: Sling does not apply it to sql"),
        ("source_options: {range: '1,2'}", "range: only mode: backfill applies it"),
        (
            "mode: incremental, primary_key: id, update_key: t, source_options: {range: '1,2'}",
            "range: only mode: backfill applies it",
        ),
        (
            "columns: {a: number}",
            "a: 'number' is none of Sling's types, and the column would be text (allowed: bigint,",
        ),
        (
            "columns: {a: 'Decimal(10,2)'}",
            "a: 'Decimal(10,2)' is none of Sling's types, and the column would be text; did you m",
        ),
        ("source_options: {columns: {a: boolean}}", "a: 'boolean' is none of Sling's types"),
        ("columns: {'*': text, a: bigint}", "columns: '*': Sling applies it to no column where"),
        ("columns: {a: text, A: bigint}", "columns: 'A' is the column 'a' again: case makes no"),
        ("transforms: {a: [x], A: [y]}", "transforms: 'A' is the column 'a' again: case makes"),
        ("source_options: {flatten: true}", "flatten: Sling applies it to files, not to postgres"),
        ("source_options: {delimiter: ';'}", "delimiter: Sling applies it to files"),
    ],
)
def test_an_option_that_sling_would_pass_over_is_refused(
    yaml_project: YamlProject, settings: str, expected: str
) -> None:
    found = problem(yaml_project, f"public.orders: {{{settings}}}")
    assert found.partition(": ")[2].startswith(expected), found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("where: a > 1", "where: Sling does not apply it to files: write sql"),
        ("select: [-a]", "select: Sling loads all columns of a file: write sql"),
        ("select: [a]", "select: Sling loads all columns of a file: write sql"),
        (
            "mode: backfill, primary_key: a, update_key: b, source_options: {range: '1,2'}",
            "mode: backfill loads all of a file: write sql, or another mode",
        ),
        (
            (
                "mode: incremental, primary_key: a, meta: {dagster: {partition: {type: daily,"
                " start: 2013-01-01, column: t}}}"
            ),
            "partition: Sling loads all of a file each time: write sql",
        ),
        ("object: 's.{stream_file_name}'", "object: {stream_file_name} of 's.{stream_file_name}'"),
    ],
)
def test_what_would_load_all_of_a_file_is_refused(
    yaml_project: YamlProject, settings: str, expected: str
) -> None:
    yaml_project.write("sling/connections.yaml", "connections: {shop: {type: file}}")
    given = settings if "object" in settings else f"object: s.t, {settings}"
    found = problem(yaml_project, f"file:///in/*.csv: {{{given}}}")
    assert found.partition(": ")[2].startswith(expected), found


def test_a_partition_of_a_file_that_sql_reads_is_possible(yaml_project: YamlProject) -> None:
    yaml_project.write("sling/connections.yaml", "connections: {shop: {type: file}}")
    yaml_project.replication(
        "file:///in/a.parquet: {object: s.t, mode: incremental, primary_key: id,"
        " sql: 'select * from {stream_scanner}',"
        " meta: {dagster: {partition: {type: daily, start: 2013-01-01, column: t}}}}"
    )
    assert yaml_project.problems() == []


def test_a_partition_of_a_source_without_sql_is_refused(yaml_project: YamlProject) -> None:
    yaml_project.write("sling/connections.yaml", "connections: {shop: {type: mongodb}}")
    found = problem(
        yaml_project,
        "db.orders: {mode: incremental, primary_key: id, meta: {dagster: {partition: {type: daily,"
        " start: 2013-01-01, column: t}}}}",
    )
    assert "partition: a mongodb source has no SQL for it" in found


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ("SLING_RETRIES: 3", "3:7: SLING_RETRIES needs a paid token of Sling's, without which"),
        ("SLING_THREADS: 4", "3:7: SLING_THREADS needs a paid token"),
        ("SLING_STATE: s3/state", "3:7: SLING_STATE needs a paid token"),
        ("SLING_DRY_RUN: true", "3:7: SLING_DRY_RUN would load nothing"),
        ("SLING_LOGGING: JSON", "3:7: SLING_LOGGING is set for each run: leave it out"),
        (
            "SLING_ROW_NUMBER_COLUMN: true",
            (
                "3:7: SLING_ROW_NUMBER_COLUMN is none of Sling's settings; did you mean"
                " 'SLING_ROW_NUM_COLUMN'? (allowed: SLING_ALLOW_EMPTY,"
            ),
        ),
    ],
)
def test_a_setting_that_sling_would_pass_over_is_refused(
    yaml_project: YamlProject, env: str, expected: str
) -> None:
    assert problem(yaml_project, "public.orders:", head=f"env: {{{env}}}").startswith(expected)


def test_settings_of_sling_and_variables_of_ones_own_are_taken(yaml_project: YamlProject) -> None:
    yaml_project.replication(
        "public.orders:", head="env: {SLING_LOADED_AT_COLUMN: true, REGION: north, SLINGSHOT: 1}"
    )
    assert yaml_project.problems() == []


# --- partitions ---

DAILY = "partition: {type: daily, start: 2013-01-01}"


@pytest.mark.parametrize(
    ("settings", "meta", "expected"),
    [
        (
            "primary_key: id, update_key: t",
            DAILY,
            (
                "5:3: mode: full-refresh would replace or repeat the other partitions' rows:"
                " a partitioned stream needs incremental or backfill"
            ),
        ),
        (
            "mode: truncate, primary_key: id, update_key: t",
            DAILY,
            "5:25: mode: truncate would replace or repeat",
        ),
        (
            "mode: incremental, update_key: t",
            DAILY,
            "5:3: a partitioned stream needs primary_key, or a rerun would repeat its rows",
        ),
        (
            "mode: incremental, primary_key: id",
            DAILY,
            "5:3: a partitioned stream needs partition.column or update_key",
        ),
        (
            "mode: backfill, primary_key: id, update_key: t, source_options: {range: 'a,b'}",
            DAILY,
            "5:91: range: the partition gives the range",
        ),
        (
            "mode: incremental, primary_key: id",
            "partition: {type: dialy, start: 2013-01-01, column: t}",
            "5:90: type: 'dialy' is not one of the allowed values; did you mean 'daily'?",
        ),
    ],
)
def test_a_partition_that_would_load_wrong_is_refused(
    yaml_project: YamlProject, settings: str, meta: str, expected: str
) -> None:
    streams = f"public.orders: {{{settings}, meta: {{dagster: {{{meta}}}}}}}"
    assert problem(yaml_project, streams).startswith(expected)


# --- names that meet ---


def test_two_producers_of_one_key_are_both_named(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.orders:", "a")
    yaml_project.replication("public.items:\nold.orders: {object: old.orders}", "b")
    assert yaml_project.problems() == [
        (
            "sling/b.yaml:6:1: the asset key shop/raw/orders is produced here and at"
            " sling/a.yaml:5:"
            " set asset_key on one of them"
        )
    ]


@pytest.mark.parametrize("other", ["shop.orders", "SHOP.Orders", "raw.shop.orders"])
def test_two_streams_that_load_one_table_are_both_named(
    yaml_project: YamlProject, other: str
) -> None:
    yaml_project.replication("public.orders:", "a")
    yaml_project.replication(
        f"public.items: {{object: {other}, meta: {{dagster: {{asset_key: shop/raw/items}}}}}}", "b"
    )
    assert yaml_project.problems() == [
        (
            "sling/b.yaml:5:1: the table RAW.SHOP.ORDERS is loaded here and at sling/a.yaml:5:"
            " name another table"
        )
    ]


def test_an_asset_cannot_also_be_a_sources_table(yaml_project: YamlProject) -> None:
    yaml_project.replication(
        "public.orders:\npublic.x: {meta: {dagster: {asset_key: shop/src/orders}}}"
    )
    assert yaml_project.problems() == [
        (
            "sling/shop.yaml:5:1: 'public.orders' reads shop/src/orders, which sling/shop.yaml:6"
            " produces"
        )
    ]


def test_files_of_the_same_name_to_dagster(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.a:", "shop-eu")
    yaml_project.replication("public.b:", "shop_eu")
    assert yaml_project.problems() == [
        "sling/shop_eu.yaml: shop-eu.yaml has the same name to Dagster: give this file another"
    ]


# --- everything at once ---


def test_all_problems_of_all_files_come_in_one_error(yaml_project: YamlProject) -> None:
    yaml_project.write("sling/broken.yaml", "source: [shop\n")
    yaml_project.replication("public.a: {x: 1}\npublic.a: {mode: incremental}", "a")
    yaml_project.replication("public.b: {meta: {dagster: {owners: [me]}}}", "z")
    with pytest.raises(ConfigError) as error:
        yaml_project.definitions()
    lines = str(error.value).splitlines()
    assert lines[0] == "4 problems in the configuration:"
    assert [line.strip().split(": ")[0] for line in lines[1:]] == [
        "sling/a.yaml:6:3",
        "sling/a.yaml:6:20",
        "sling/broken.yaml:2:1",
        "sling/z.yaml:5:40",
    ]


def test_a_folder_that_is_not_there(yaml_project: YamlProject) -> None:
    for path in (yaml_project.root / "sling").iterdir():
        path.unlink()
    (yaml_project.root / "sling").rmdir()
    assert yaml_project.problems() == ["sling: the folder does not exist"]


def test_an_empty_folder_makes_nothing(yaml_project: YamlProject) -> None:
    assert yaml_project.specs() == {}


def test_mistake_at_the_top_hides_none_below(yaml_project: YamlProject) -> None:
    yaml_project.write(
        "sling/shop.yaml",
        """
        target: SNOWFLAKE
        surce: shop
        streams:
          ops.orders: {object: shop.orders, mod: x}
          ops.items: 5
          ops.others:
            object: shop.others
            meta: {dagster: {automation_condition: on_corn_no_deps, owners: 5}}
        """,
    )

    assert [text.split(": ")[1][:20] for text in yaml_project.problems()] == [
        "unknown key 'surce';",
        "unknown key 'mod'; d",
        "ops.items",
        "'on_corn_no_deps' is",
        "owners",
    ]


def test_a_wrong_connection_hides_no_problem_of_the_others(yaml_project: YamlProject) -> None:
    yaml_project.write("sling/connections.yaml", "connections: {shop: 5, depot: {type: mysqll}}")
    yaml_project.replication("ops.orders:")

    assert [text.split(": ")[1] for text in yaml_project.problems()] == [
        "shop",
        "'mysqll' is not a connection type of Sling; did you mean 'mysql'? (allowed",
    ]
