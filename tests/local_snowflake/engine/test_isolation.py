"""What a statement can reach of the machine: the warehouse's own folders and nothing else."""

from __future__ import annotations

import pytest
from snowflake.connector.errors import ProgrammingError


@pytest.fixture
def cursor(connection):
    connection.cursor().execute("create stage s")
    return connection.cursor()


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_text('{path}')",
        "select * from sniff_csv('{path}')",
        "select * from '{path}'",
        'select * from "{path}"',
        "create table t as select * from read_blob('{path}')",
        "copy into @s/out.csv from (select * from read_text('{path}'))",
        "select * from query('from read_text(''{path}'')')",
        "select * from read_text('http://127.0.0.1:1/x.csv')",
    ],
)
def test_sql_reads_no_file_and_no_address_outside_of_the_warehouse(cursor, tmp_path, query):
    path = tmp_path / "secret.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ProgrammingError, match="disabled by configuration"):
        cursor.execute(query.format(path=path))


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to '{path}'",
        "copy into '{path}' from (select 1)",
        "copy into 'file://{path}' from (select 1)",
        "copy into @s/../../../../{path} from (select 1)",
        "attach '{path}' as other",
        "export database '{path}'",
    ],
)
def test_sql_writes_no_file_outside_of_the_warehouse(cursor, tmp_path, statement):
    path = tmp_path / "out.csv"
    with pytest.raises(ProgrammingError):
        cursor.execute(statement.format(path=path))
    assert not path.exists()


def test_access_cannot_be_switched_on(cursor, tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text("a\n")
    cursor.execute("set enable_external_access = true")  # a variable of the session
    with pytest.raises(ProgrammingError, match="disabled by configuration"):
        cursor.execute(f"select * from read_text('{path}')")
