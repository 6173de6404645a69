"""Snowpark for Python on the embedded warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from snowflake.snowpark import Row, Session, Window
from snowflake.snowpark import functions as F  # noqa: N812 - as Snowpark's documentation has it
from snowflake.snowpark.exceptions import SnowparkSQLException


@pytest.fixture
def session(warehouse, database) -> Iterator[Session]:
    settings = {**warehouse.settings, "database": database, "schema": "PUBLIC"}
    opened = Session.builder.configs({**settings, "login_timeout": 20, "network_timeout": 60})
    with opened.create() as session:
        session.sql_simplifier_enabled = True
        frame = session.create_dataframe(
            [(1, "a", 1.5), (2, "b", 2.5), (3, "b", None)], schema=["id", "v", "x"]
        )
        frame.write.save_as_table("t", mode="overwrite")
        yield session


def test_tables_are_written_in_every_mode(session):
    table = session.table("t")
    table.limit(1).write.save_as_table("copy", mode="overwrite")
    table.write.save_as_table("copy", mode="append")
    assert session.table("copy").count() == 4
    table.write.save_as_table("copy", mode="truncate")
    table.write.save_as_table("copy", mode="ignore")
    assert session.table("copy").count() == 3
    with pytest.raises(SnowparkSQLException, match="already exists"):
        table.write.save_as_table("copy", mode="errorifexists")
    table.write.save_as_table("passing", table_type="temporary")
    assert session.table("passing").count() == 3


def test_frames_are_filtered_grouped_joined_and_windowed(session):
    table = session.table("t")
    assert table.filter(F.col("x") > 2).select("id").collect() == [Row(ID=2)]
    grouped = table.group_by("v").agg(F.sum("id").alias("s"), F.count("*").alias("n")).sort("v")
    assert grouped.collect() == [Row(V="a", S=1, N=1), Row(V="b", S=5, N=2)]
    latest = F.row_number().over(Window.partition_by("v").order_by(F.col("id").desc()))
    ranked = table.select("id", latest.alias("rank")).filter(F.col("rank") == 1).sort("id")
    assert [row.ID for row in ranked.collect()] == [1, 3]
    names = session.create_dataframe([("a", "first"), ("b", "second")], schema=["v", "name"])
    joined = table.join(names, "v").select("id", "name").sort("id").to_pandas()
    assert joined["NAME"].tolist() == ["first", "second", "second"]


def test_values_of_every_type_arrive(session):
    values = [date(2024, 1, 1), datetime(2024, 1, 1, 2, 3, 4), {"a": 1}, [1, 2], b"x", True]  # noqa: DTZ001 - NTZ
    frame = session.create_dataframe([values], schema=["d", "ts", "o", "l", "b", "flag"])
    row = frame.collect()[0]
    assert [row.D, row.TS, bytes(row.B), row.FLAG] == [*values[:2], b"x", True]
    assert (row.O, row.L) == ('{"a":1}', "[1,2]")
    assert session.sql("select ? as a, ? as b", params=[1, "x"]).collect() == [Row(A=1, B="x")]


def test_pandas_frames_go_in_and_out(session):
    frame = pd.DataFrame(
        {"ID": [1, 2], "V": ["x", None], "X": [1.5, 2.5], "AT": pd.to_datetime(["2024-01-01"] * 2)}
    )
    session.write_pandas(frame, "written", auto_create_table=True, overwrite=True)
    back = session.table('"written"').sort("ID").to_pandas()
    assert back["ID"].tolist() == [1, 2]
    assert back["X"].dtype == "float64"
    assert back["AT"][0] == pd.Timestamp("2024-01-01")
    assert session.create_dataframe(frame).select(F.sum("X")).collect()[0][0] == 4.0
    assert session.sql("select 1.25::number(10,2) as n").to_pandas()["N"].dtype == "float64"


def test_rows_are_updated_deleted_and_merged(session):
    table = session.table("t")
    assert table.update({"v": "z"}, F.col("id") == 1).rows_updated == 1
    assert table.delete(F.col("id") == 3).rows_deleted == 1
    source = session.create_dataframe([(2, "two"), (7, "seven")], schema=["id", "v"])
    merged = table.merge(
        source,
        table["id"] == source["id"],
        [
            F.when_matched().update({"v": source["v"]}),
            F.when_not_matched().insert({"id": source["id"], "v": source["v"]}),
        ],
    )
    assert (merged.rows_inserted, merged.rows_updated) == (1, 1)
    assert [r.V for r in session.table("t").sort("id").collect()] == ["z", "two", "seven"]


def test_files_cached_results_and_views(session, tmp_path: Path):
    session.sql("create temporary stage files").collect()
    (tmp_path / "a.txt").write_text("hello")
    session.file.put(str(tmp_path / "a.txt"), "@files", auto_compress=False)
    session.file.get("@files/a.txt", str(tmp_path / "back"))
    assert (tmp_path / "back" / "a.txt").read_text() == "hello"
    assert session.table("t").cache_result().count() == 3
    session.table("t").create_or_replace_temp_view("v")
    assert session.table("v").count() == 3
    assert session.table("t").describe().count() == 5
