"""Mistakes in a database, files and a Python function as a pipeline's source."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

import pytest

from factories.core.yaml.reader import YamlFile
from factories.dlt.config.source_check import source_problems
from tests.factories.dlt.config.source_problems import REFUSED, WRITTEN, problems_of, secret

DRIVERS = "mssql, mysql, oracle, postgresql, sqlite"


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        ("[]", ["2:17: sql_database: must be a mapping, not []"]),
        ("{}", ["2:3: the key 'credentials' is missing"]),
        ("{credentials: '${U}', chunk_sise: 5, schema: 5}", [
            ("2:39: unknown key 'chunk_sise'; did you mean 'chunk_size'? (allowed: credentials, "
            "schema, chunk_size, backend, detect_precision_hints, reflection_level, "
            "defer_table_reflect, backend_kwargs, included_columns, excluded_columns, "
            "resolve_foreign_keys, engine_kwargs and 1 more)"),
            "2:62: schema: must be text, not 5: put it in quotes",
        ]),
        ("{credentials: '${U}', chunk_size: '${N}', include_columns: a}", [
            f"2:51: chunk_size: must be a whole number, {WRITTEN}",
            ("2:59: unknown key 'include_columns'; did you mean 'included_columns'? (allowed: "
            "credentials, schema, chunk_size, backend, detect_precision_hints, reflection_level, "
            "defer_table_reflect, backend_kwargs, included_columns, excluded_columns, "
            "resolve_foreign_keys, engine_kwargs and 1 more)"),
        ]),
        ("{credentials: '${U}', backend: pyarow}", [
            ("2:48: backend: 'pyarow' is not one of the allowed values; did you mean 'pyarrow'? "
            "(allowed: sqlalchemy, pyarrow, pandas, connectorx)")
        ]),
        ("{credentials: '${U}', backend: ''}", [
            ("2:48: backend: '' is not one of the allowed values "
            "(allowed: sqlalchemy, pyarrow, pandas, connectorx)")
        ]),
        ("{credentials: '${U}', primary_key: a, metadata: b, table_names: [c]}", [
            "2:39: 'primary_key' belongs to the resource, under the file's own `resources`",
            f"2:55: 'metadata' {REFUSED}",
            ("2:68: 'table_names' is not needed: the file's own `resources` say which tables are "
            "loaded"),
        ]),
        ("{credentials: '${U}', query_adapter_callback: f, table: a}", [
            f"2:39: 'query_adapter_callback' {REFUSED}",
            "2:66: 'table' belongs to an entry of `resources`",
        ]),
        ("{credentials: 'sqlite://me:hunter2@h/d'}", [
            ("2:31: credentials: the password in a URL must come from the environment: write "
            '"${NAME}" in its place, or for the whole URL')
        ]),
        ("{credentials: not a url}", [
            ("2:31: credentials: not a URL of a database, such as "
            "postgresql://user@host/database")
        ]),
        ("{credentials: 'postgre://u:${P}@h/d'}", [
            ("2:31: credentials: SQLAlchemy knows no database 'postgre'; did you mean "
            "'postgresql'? (allowed: DRIVERS)")
        ]),
        ("{credentials: 'mysql://u:${P}@h/d'}", [
            "2:31: credentials: 'mysql' needs the package MySQLdb, which is not installed"
        ]),
        ("{credentials: {drivername: sqllite, password: s3cret, prt: 1, port: a}}", [
            ("2:44: drivername: SQLAlchemy knows no database 'sqllite'; did you mean 'sqlite'? "
            "(allowed: DRIVERS)"),
            f"2:63: {secret('password')}",
            ("2:71: unknown key 'prt'; did you mean 'port'? "
            "(allowed: drivername, database, password, username, host, port, query)"),
            "2:85: port: must be a whole number, not 'a'",
        ]),
        ("{credentials: {drivername: a b}}", [
            ("2:44: drivername: SQLAlchemy cannot use 'a b': Could not parse SQLAlchemy URL from "
            "given URL string")
        ]),
        ("{credentials: {host: h}}", ["2:18: the key 'drivername' is missing"]),
        ("{credentials: [a]}", ['2:31: credentials: must be text or a mapping, not ["a"]']),
        ("{credentials: '${U}', resources: {a: 1}}", [
            '2:50: resources: must be a list, not {"a": 1}'
        ]),
        ("{credentials: '${U}', resources: []}", ["2:50: resources: must not be empty"]),
        ("{credentials: '${U}', resources: [a, {name: b, tabel: c}, {name: b}, {table: d}]}", [
            "2:51: resources[0]: must be a mapping, not 'a'",
            ("2:64: unknown key 'tabel'; did you mean 'table'? (allowed: name, table, credentials, "
            "schema, chunk_size, backend, detect_precision_hints, reflection_level, "
            "defer_table_reflect, backend_kwargs, included_columns, excluded_columns and 2 more)"),
            "2:82: the resource 'b' is defined twice",
            "2:86: the key 'name' is missing",
        ]),
        ("{credentials: '${U}', resources: [{name: b, write_disposition: merge}]}", [
            "2:61: 'write_disposition' belongs to the resource, under the file's own `resources`"
        ]),
    ],
)  # fmt: skip
def test_a_database(tmp_path: Path, database: str, expected: list[str]) -> None:
    found = problems_of(f"source:\n  sql_database: {database}\n", tmp_path)
    assert [p.replace(DRIVERS, "DRIVERS") for p in found] == expected


ROWS = "resources: [{name: a, file_glob: '*', reader: read_jsonl}]"
READERS = "read_csv, read_jsonl, read_parquet"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ("{}", ["2:3: the key 'bucket_url' is missing", "2:3: the key 'resources' is missing"]),
        ("{bucket_url: '', " + ROWS + "}", ["2:28: bucket_url: must not be empty"]),
        ("{bucket_url: 'http://[::1', credentials: {token: '${T}'}, " + ROWS + "}", [
            "2:28: bucket_url: not a URL: Invalid IPv6 URL"
        ]),
        ("{bucket_url: 'ftp://h/x', " + ROWS + "}", [
            ("2:28: bucket_url: dlt reads no files by 'ftp'; did you mean 'sftp'? (allowed: abfs, "
            "abfss, adl, az, file, gcs, gdrive, gs, hf, http, https, memory and 3 more)")
        ]),
        ("{bucket_url: 'gs://bucket', " + ROWS + "}", [
            "2:28: bucket_url: 'gs' needs the package gcsfs, which is not installed"
        ]),
        ("{bucket_url: 'sftp://me:hunter2@${H}/x', " + ROWS + "}", [
            "2:28: bucket_url: 'sftp' needs the package paramiko, which is not installed",
            ("2:28: bucket_url: the password in a URL must come from the environment: write "
            '"${NAME}" in its place, or for the whole URL'),
        ]),
        ("{bucket_url: '${B}', files_per_pag: 5, extract_content: true, " + ROWS + "}", [
            ("2:36: unknown key 'files_per_pag'; did you mean 'files_per_page'? (allowed: "
            "bucket_url, credentials, file_glob, files_per_page, kwargs, client_kwargs, "
            "fetch_file_info, resources)"),
            "2:54: 'extract_content' is not needed: a reader reads the files",
        ]),
        ("{bucket_url: '${B}', credentials: {aws_secret_access_key: s, aws_acces_key_id: a}, "
         + ROWS + "}", [
            f"2:73: {secret('aws_secret_access_key')}",
            ("2:76: unknown key 'aws_acces_key_id'; did you mean 'aws_access_key_id'? (allowed: "
            "token_uri, auth_uri, project_id, private_key, private_key_id, client_email, type, "
            "client_id, client_secret, refresh_token, scopes, token and 42 more)"),
        ]),
        ("{bucket_url: /data, credentials: {a: b}, " + ROWS + "}", [
            "2:35: credentials: 'file' takes none"
        ]),
        ("{bucket_url: '${B}', credentials: abc, " + ROWS + "}", [
            f"2:49: {secret('credentials')}"
        ]),
        ("{bucket_url: '${B}', resources: [{name: a, reader: csv}]}", [
            "2:48: the key 'file_glob' is missing",
            f"2:66: reader: 'csv' is not one of the allowed values (allowed: {READERS})",
        ]),
        (("{bucket_url: '${B}', resources: [{name: a, file_glob: x, reader: read_jsonl, "
         "chunk_size: 5}]}"), [
            ("2:92: unknown key 'chunk_size'; did you mean 'chunksize'? "
            "(allowed: name, file_glob, reader, chunksize)")
        ]),
        # pandas takes what it wants; but this is dlt's argument, misspelled.
        (("{bucket_url: '${B}', resources: [{name: a, file_glob: x, reader: read_csv, "
         "chunk_size: 5, sep: ';'}]}"), [
            ("2:90: unknown key 'chunk_size'; did you mean 'chunksize'? "
            "(allowed: name, file_glob, reader, chunksize, sep)")
        ]),
        (("{bucket_url: '${B}', resources: [{name: a, file_glob: x, reader: read_parquet, "
         "use_pyarrow: '${P}'}]}"), [
            f"2:107: use_pyarrow: must be true or false, {WRITTEN}"
        ]),
        (("{bucket_url: '${B}', resources: [{name: a, file_glob: x, reader: read_csv, 5: 1, "
         "7: 1}]}"), []),
        ("{bucket_url: '${B}', resources: [{name: a, file_glob: x}]}", [
            "2:48: the key 'reader' is missing"
        ]),
    ],
)  # fmt: skip
def test_files(tmp_path: Path, files: str, expected: list[str]) -> None:
    assert problems_of(f"source:\n  filesystem: {files}\n", tmp_path) == expected


@pytest.mark.parametrize(
    ("package", "source", "expected"),
    [
        (
            "pandas",
            "filesystem: {bucket_url: /d, resources: [{name: a, file_glob: x, reader: read_csv}]}",
            "1:83: reader: 'read_csv' needs the package pandas, which is not installed",
        ),
        (
            "connectorx",
            "sql_database: {credentials: '${U}', backend: connectorx}",
            "1:55: backend: 'connectorx' needs the package connectorx, which is not installed",
        ),
    ],
)
def test_a_package_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, source: str, expected: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else found(name)
    )
    assert problems_of(f"source: {{{source}}}", tmp_path) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{python: days:dys}", [
            "1:18: days.py has no function 'dys'; did you mean 'days'? (allowed: days)"
        ]),
        ("{python: days:days, args: {strat: 1, start: a}}", [
            "1:36: days has no parameter 'strat'; did you mean 'start'? (allowed: start, token)"
        ]),
        ("{python: days:days}", ["1:18: the argument 'start' of days is missing"]),
        ("{python: days:days, args: {start: a, token: s3cret}}", [f"1:53: {secret('token')}"]),
        ("{python: days:days, args: [a]}", ['1:35: args: must be a mapping, not ["a"]']),
        ("{python: 5}", ["1:18: python: must be text of the form module:function, not 5"]),
        ("{python: '${M}:days'}", [f"1:18: python: must be {WRITTEN}"]),
    ],
)  # fmt: skip
def test_python(tmp_path: Path, source: str, expected: list[str]) -> None:
    (tmp_path / "days.py").write_text(
        "import dlt\n\n@dlt.resource\ndef days(start: str, token: str = dlt.secrets.value): ...\n"
    )
    assert problems_of(f"source: {source}", tmp_path) == expected


def test_a_mistake_in_the_module_is_placed_there(tmp_path: Path) -> None:
    (tmp_path / "days.py").write_text("def days(:\n")
    data = {"source": {"python": "days:days"}}
    file = YamlFile(tmp_path / "p.yaml", f"{tmp_path.name}/p.yaml", data, str(data))
    assert [str(p) for p in source_problems(file, data["source"], tmp_path)] == [
        f"{tmp_path.name}/days.py:1:10: not valid Python: invalid syntax"
    ]


def test_nothing_connects_and_no_secret_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection while loading")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for text in (
        (
            "{rest_api: {client: {base_url: 'https://a.example', auth: {token: hunter2}}, "
            "resources: [{name: a, endpoint: {auth: {token: [hunter2]}, "
            "params: {token: hunter2}}}]}}"
        ),
        "{sql_database: {credentials: 'mssql://u:hunter2@a.example/d'}}",
        "{sql_database: {credentials: {drivername: x, password: hunter2}}}",
        "{filesystem: {bucket_url: 's3://u:hunter2@b', credentials: hunter2, resources: []}}",
    ):
        found = problems_of(f"source: {text}", tmp_path)
        assert found
        assert not [problem for problem in found if "hunter2" in problem]
