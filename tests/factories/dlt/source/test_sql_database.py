"""Tables of a real PostgreSQL, by each of dlt's backends."""

from __future__ import annotations

import datetime as dt
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest

from factories.dlt.config.database_drivers import with_installed_driver
from tests.factories.conftest import Source
from tests.factories.dlt.conftest import Project, materialized
from tests.test_environments import python

pytestmark = pytest.mark.clients

WAIT_SECONDS = 180

EVERY_TYPE = """
    create table {s}.things (
      id int primary key, small smallint, big bigint, whole numeric(38), price numeric(12, 4),
      ratio double precision, flag boolean, name text, letters varchar(10), at timestamp,
      seen timestamptz, day date, hour time, raw bytea, doc jsonb, key uuid, tags text[]
    )
"""
VALUES = """
    insert into {s}.things values (
      1, -32768, 9223372036854775807, 12345678901234567890123456789012345678, 12345678.1234,
      0.1, true, 'Zoë "q"', 'abc', '2024-03-10 02:30:00.123456', '2024-03-10 02:30:00.123456-05',
      '0001-01-01', '23:59:59.999999', '\\x00ff10', '{"a": [1, null, "x"]}',
      '6f76cf1f-5218-46f6-98e8-6f548c52da38', '{a,"b c",null}'
    )
"""


def shop(loaded: str, /, **arguments: object) -> str:
    """A pipeline of the source's schema, with arguments of `sql_table()`."""
    given = {"credentials": "${SHOP_URL}", "schema": "${SHOP_SCHEMA}", **arguments}
    return f"source: {{sql_database: {json.dumps(given)}}}\nresources: {loaded}\n"


@pytest.fixture
def tcp_url(source: Source) -> Iterator[str]:
    """The database's address for a client that takes no folder of a Unix socket in it."""
    socket_path = f"{parse_qs(urlsplit(source.url).query)['host'][0]}/.s.PGSQL.5432"

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(socket_path)
                pairs = ((self.request, server), (server, self.request))
                threads = [threading.Thread(target=_copy, args=pair) for pair in pairs]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Forward) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"postgresql://postgres:@127.0.0.1:{server.server_address[1]}/postgres"
        server.shutdown()


def _copy(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


ARRIVED = {
    "id": 1,
    "small": -32768,
    "big": 9223372036854775807,
    "whole": 12345678901234567890123456789012345678,
    "price": Decimal("12345678.1234"),
    "ratio": 0.1,
    "flag": True,
    "name": 'Zoë "q"',
    "letters": "abc",
    "at": dt.datetime(2024, 3, 10, 2, 30, 0, 123456),  # noqa: DTZ001 - it has none
    "seen": dt.datetime(2024, 3, 10, 7, 30, 0, 123456, tzinfo=dt.UTC),
    "day": dt.date(1, 1, 1),
    "hour": dt.time(23, 59, 59, 999999),
    "raw": b"\x00\xff\x10",
    "doc": {"a": [1, None, "x"]},
    "key": "6f76cf1f-5218-46f6-98e8-6f548c52da38",
    "tags": ["a", "b c", None],
}


@pytest.mark.parametrize(
    ("backend", "without"),
    [
        ("pyarrow", []),
        ("sqlalchemy", []),
        ("pandas", ["raw", "doc", "tags", "whole"]),  # see the guide
        ("connectorx", ["whole", "tags"]),  # it knows no numbers of more than 28 digits
    ],
)
def test_values_arrive_as_they_are(  # noqa: PLR0917 - fixtures
    project: Project, source: Source, tcp_url: str, backend: str, without: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SHOP_URL", tcp_url)
    source.execute(EVERY_TYPE, VALUES, "insert into {s}.things (id) values (2)")
    project.pipeline(shop("{things: {}}", backend=backend, excluded_columns=without))

    result = project.run()

    assert result.success, project.failure()
    expected = {name: value for name, value in ARRIVED.items() if name not in without}
    columns = ", ".join(
        # JSON and arrays are text in a VARIANT.
        f"parse_json({name}) {name}" if name in {"doc", "tags"} else name
        for name in expected
    )
    full, empty = project.rows(f"select {columns} from {{d}}.things order by id")
    found = dict(zip(expected, full, strict=True))
    for name in {"doc", "tags"} & set(found):
        found[name] = json.loads(str(found[name]))
    assert found == expected
    assert empty == (2, *(None for _ in list(expected)[1:]))


def test_a_resource_reads_the_columns_and_the_table_that_its_entry_names(
    project: Project, source: Source
) -> None:
    source.execute(
        "create table {s}.t_cust (id int primary key, name text, secret text)",
        "insert into {s}.t_cust values (1, 'Ada', 'x')",
        "create view {s}.names as select name from {s}.t_cust",
    )
    entry = {"name": "customers", "table": "t_cust", "included_columns": ["id", "name"]}
    project.pipeline(shop("{customers: {}, names: {table_name: first_names}}", resources=[entry]))

    found = materialized(project.run())

    assert found["customers"]["rows_loaded"] == found["first_names"]["rows_loaded"] == 1
    columns = [column.name for column in found["customers"]["dagster/column_schema"].columns]
    assert columns == ["ID", "NAME", "_DLT_LOAD_ID"]


@pytest.mark.parametrize(
    ("zone", "backend"), [("timestamp", "pyarrow"), ("timestamptz", "sqlalchemy")]
)
def test_only_what_is_new_is_loaded_and_no_row_twice(
    project: Project, source: Source, backend: str, zone: str
) -> None:
    source.execute(
        f"create table {{s}}.events (id int, at {zone})",
        "insert into {s}.events values (0, '2023-12-31 23:59'), (1, '2024-01-01 00:00'),"
        " (2, '2024-01-02 00:00'), (3, '2024-01-02 00:00')",
    )
    cursor = "{cursor_path: at, initial_value: 2024-01-01}"
    project.pipeline(
        shop(f"{{events: {{write_disposition: append, incremental: {cursor}}}}}", backend=backend)
    )
    first = project.run()
    # One at the last value, one after it.
    source.execute("insert into {s}.events values (4, '2024-01-02 00:00'), (5, '2024-01-03 00:00')")

    second = project.run()
    third = project.run()

    counts = [materialized(run)["events"]["rows_loaded"] for run in (first, second, third)]
    assert counts == [3, 2, 0]
    assert project.rows("select id from {d}.events order by id") == [(n,) for n in range(1, 6)]


def test_rows_are_merged_by_all_columns_of_the_key(project: Project, source: Source) -> None:
    source.execute(
        "create table {s}.stock (shop text, item text, amount int, updated timestamp)",
        "insert into {s}.stock values ('a', 'x', 1, '2024-01-01'), ('a', 'y', 2, '2024-01-01'),"
        " ('b', 'x', 3, '2024-01-01')",
    )
    project.pipeline(
        shop(
            "{stock: {write_disposition: merge, primary_key: [shop, item],"
            " incremental: {cursor_path: updated}}}"
        )
    )
    project.run()
    source.execute(
        "update {s}.stock set amount = 9, updated = '2024-01-02' where shop = 'a' and item = 'y'"
    )

    again = project.run()

    assert materialized(again)["stock"]["rows_loaded"] == 1
    assert project.rows("select shop, item, amount from {d}.stock order by 1, 2") == [
        ("a", "x", 1),
        ("a", "y", 9),
        ("b", "x", 3),
    ]


def test_full_refresh_reads_from_the_start(project: Project, source: Source) -> None:
    source.execute(
        "create table {s}.events (id int primary key, at timestamptz)",
        "insert into {s}.events values (1, '2024-01-01'), (2, '2024-01-02')",
    )
    project.pipeline(shop("{events: {incremental: {cursor_path: at}}}"))
    project.run()
    source.execute("delete from {s}.events where id = 1")
    project.run()

    refreshed = project.full_refresh("dlt__shop")

    assert materialized(refreshed)["events"]["rows_loaded"] == 1
    assert project.rows("select id from {d}.events") == [(2,)]


def test_a_table_that_is_missing_spares_the_others(project: Project, source: Source) -> None:
    source.execute("create table {s}.orders (id int)", "insert into {s}.orders values (1)")
    project.pipeline(shop("{order: {}, orders: {}}"))

    result = project.run()

    assert set(materialized(result)) == {"orders"}
    assert f"the schema '{source.schema}' has no table 'order'" in project.failure()
    assert "did you mean 'orders'?" in project.failure()
    assert "Traceback" not in project.failure()


def test_a_cursor_that_is_not_a_column_is_reported_with_the_nearest(
    project: Project, source: Source
) -> None:
    source.execute("create table {s}.orders (id int, updated timestamp)")
    project.pipeline(shop("{orders: {incremental: {cursor_path: update}}}"))

    project.run()

    assert "orders has no column 'update'" in project.failure()
    assert "did you mean 'updated'?" in project.failure()


def lets_in(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_wrong_password_is_reported_and_not_shown(
    project: Project, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"locked_{source.schema}"
    with psycopg.connect(source.url, autocommit=True) as connection:
        connection.execute(f"create role {role} login password 'right'")
        (access,) = connection.execute("show hba_file").fetchone() or ()
        before = Path(access).read_text()
        Path(access).write_text(f"local all {role} scram-sha-256\n{before}")
        connection.execute("select pg_reload_conf()")
    host = quote(parse_qs(urlsplit(source.url).query)["host"][0], safe="")
    url = f"postgresql://{role}:wr0ng-S3cret@/postgres?host={host}"
    deadline = time.monotonic() + WAIT_SECONDS
    while lets_in(url):  # until the server has read the file, some time after it was told to
        assert time.monotonic() < deadline
        time.sleep(0.05)
    monkeypatch.setenv("SHOP_URL", url)
    project.pipeline(shop("{orders: {}}"))

    project.run()

    Path(access).write_text(before)
    assert "the database cannot be read" in project.failure()
    assert f'password authentication failed for user "{role}"' in project.failure()
    assert "wr0ng" not in project.log()


def test_the_environment_of_the_location_reads_a_plain_url(source: Source) -> None:
    """SQLAlchemy 2.1 takes psycopg 3 for `postgresql://`, which is not installed there."""
    code = (
        "import sqlalchemy\n"
        "from factories.dlt.config.database_drivers import with_installed_driver\n"
        f"for url in ({source.url!r}, {source.url.replace('postgresql', 'postgres', 1)!r}):\n"
        "    engine = sqlalchemy.create_engine(with_installed_driver(url))\n"
        "    with engine.connect() as connection:\n"
        "        print(connection.execute(sqlalchemy.text('select 41 + 1')).scalar())\n"
    )

    done = python("ingestion", code)

    assert done.stdout.split() == ["42", "42"], done.stderr


def test_parts_of_an_address_get_the_driver_too() -> None:
    parts = {"drivername": "postgres", "host": "db.example.com"}

    assert with_installed_driver(parts) == {**parts, "drivername": "postgresql"}
    assert with_installed_driver("mysql+pymysql://db") == "mysql+pymysql://db"
