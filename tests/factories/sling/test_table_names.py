"""The table that a stream loads, beside the one that the `sling` command makes of the same file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.settings import warehouse_settings
from factories.sling.connections import resolve_target_connection
from factories.sling.objects import name_parts
from factories.sling.program import find_binary, run_sling, write_replication
from tests.factories.sling.conftest import Project, Source, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sling")]

LOADED = re.compile(r"^inserted \d+ rows into (.+) in ")
ODD_TABLES = {
    "Order Lines": "{stream_table}",
    "2fa_codes": "{stream_table}",
    "MixedCase": "x_{stream_table_lower}",
    "a.b": "{stream_table}_{stream_schema_upper}",
    "c/d (old)": "{stream_table_upper}",
    " lead": "{stream_table}_of_{source_name}",
    "Ünï cöde": "{stream_table}",
    "日本": "x{stream_table}y",
    "data.csv": "{stream_table}",
    "select": "{stream_table}",
    "e-f$g": "2_{stream_table}-x",
    "100%s": "{stream_table}",
    "a\\b": "w{stream_table}",
    "😀": "smile",
    "x" * 63: "{stream_table}",
    "é" * 31: "long",
    "{x}; --": "{stream_table}",
    "a..b": "dots",
}
ODD_FILES = ("Orders 2013.csv", "2fa-codes.csv", "a.b.c.csv", "folder one", "Ünï.csv", "z.csv.gz")


def load_natively(
    source: str, streams: Mapping[str, Mapping[str, str]], url: str, folder: Path
) -> dict[str, str]:
    """Run the `sling` command as it is; return each stream's table, in upper case.

    Into schemas of its own: the embedded warehouse has one table of names that differ by case.
    """
    own = {name: {"object": f"n_{config['object']}"} for name, config in streams.items()}
    body = write_replication({"source": source, "target": "SNOWFLAKE", "streams": own})
    target = resolve_target_connection(warehouse_settings(), warehouse_names().database("RAW"))
    connections = {source: url, "SNOWFLAKE": target}
    tables: list[str] = []
    for line in run_sling(find_binary(), body, connections, folder):
        message = str(json.loads(line.text)["msg"]) if line.text.startswith("{") else ""
        if found := LOADED.match(message):
            tables.append(".".join(name_parts(found[1])).upper().removeprefix("N_"))
    assert len(tables) == len(streams)
    return dict(zip(streams, tables, strict=True))


def test_streams_of_odd_names_load_the_tables_that_sling_makes_of_them(
    project: Project, source: Source, tmp_path: Path
) -> None:
    for table in ODD_TABLES:
        source.execute(f'create table {{s}}."{table}" as select 1 as id')
    streams = {
        f'{source.schema}."{table}"': {"object": f"{source.schema}.{template}"}
        for table, template in ODD_TABLES.items()
    }
    (project.root / "sling" / "shop.yaml").write_text(
        json.dumps(
            {"source": "shop", "target": "SNOWFLAKE", "streams": streams}, ensure_ascii=False
        )
    )

    result = project.run()
    natively = load_natively("SHOP", streams, source.url, tmp_path)

    assert result.success
    ours = {
        str(found["sling/stream"]): str(found["dagster/table_name"]).removeprefix("RAW.")
        for found in materialized(result).values()
    }
    assert ours == natively
    assert f"{source.schema}.ORDER_LINES".upper() in ours.values()
    assert all(found["dagster/row_count"] == 1 for found in materialized(result).values())


def test_files_of_odd_names_load_the_tables_that_sling_makes_of_them(
    project: Project, tmp_path: Path
) -> None:
    for name in ODD_FILES:
        path = tmp_path / name
        if "." not in name:
            path.mkdir()
            path /= "part.csv"
        path.write_text("id\n1\n")
    streams = {
        f"file://{tmp_path}/{name}": {"object": f"{project.schema}.{{stream_file_name}}"}
        for name in ODD_FILES
    }
    (project.root / "sling" / "connections.yaml").write_text("connections: {shop: {type: file}}\n")
    (project.root / "sling" / "shop.yaml").write_text(
        json.dumps({"source": "shop", "target": "SNOWFLAKE", "streams": streams})
    )

    result = project.run()
    natively = load_natively("SHOP", streams, "file://", tmp_path)

    assert result.success
    assert {
        str(found["sling/stream"]): str(found["dagster/table_name"]).removeprefix("RAW.")
        for found in materialized(result).values()
    } == natively
