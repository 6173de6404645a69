"""What a statement gives, and its form on the wire."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from fakesnow.rowtype import ColumnInfo
from fakesnow.statement_type import DML_TYPE_IDS, INSERT, SELECT

from local_snowflake.protocol.arrow_results import encoded

MULTIPLE_STATEMENTS = 0xA000


@dataclass(frozen=True)
class StatementResult:
    """The result of one statement.

    Attributes:
        table: Its rows.
        rowtype: Its columns as Snowflake describes them.
        type_id: Snowflake's statement type, by which drivers tell queries from DML.
        file_transfer: For PUT and GET, what tells the client which files to move; no rows then.
    """

    table: pa.Table
    rowtype: list[ColumnInfo]
    type_id: int = SELECT
    file_transfer: Mapping[str, Any] | None = None

    def as_data(self) -> dict[str, Any]:
        """The `data` of the response; rows of DML as JSON, where drivers read the counts."""
        if self.file_transfer is not None:
            return dict(self.file_transfer)
        rows: dict[str, Any]
        if self.type_id in DML_TYPE_IDS:
            cells = [column.to_pylist() for column in self.table.columns]
            rowset = [
                [None if v is None else str(v) for v in row] for row in zip(*cells, strict=True)
            ]
            rows = {"queryResultFormat": "json", "rowset": rowset}
        else:
            # Without a row there is no Arrow stream: drivers fail at one that has no batch.
            ipc = encoded(self.table, self.rowtype) if self.table.num_rows else b""
            rows = {"queryResultFormat": "arrow", "rowsetBase64": b64encode(ipc).decode()}
        return {
            "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
            "rowtype": self.rowtype,
            "total": self.table.num_rows,
            "returned": self.table.num_rows,
            "statementTypeId": self.type_id,
            **rows,
        }


@dataclass(frozen=True)
class Description:
    """The columns of a statement that was described and not run.

    Attributes:
        rowtype: Its columns as Snowflake describes them.
        type_id: Snowflake's statement type.
        binds: How many `?` it has; drivers ask for this before they bind.
    """

    rowtype: list[ColumnInfo]
    type_id: int
    binds: int

    def as_data(self) -> dict[str, Any]:
        """The `data` of the response."""
        rows: dict[str, Any] = (
            {"queryResultFormat": "arrow", "rowsetBase64": ""}
            if self.type_id == SELECT
            else {"queryResultFormat": "json", "rowset": []}
        )
        return {
            "rowtype": self.rowtype,
            "total": 0,
            "returned": 0,
            "statementTypeId": self.type_id,
            "numberOfBinds": self.binds,
            "arrayBindSupported": self.type_id == INSERT,
            **rows,
        }


@dataclass(frozen=True)
class MultipleResults:
    """The result of a request with several statements: the ids under which clients fetch each.

    Attributes:
        ids: A query id per statement.
        results: The result of each.
    """

    ids: list[str] = field(default_factory=list)
    results: list[StatementResult] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """The `data` of the parent's response."""
        message = "Multiple statements executed successfully."
        return {
            "parameters": [],
            "rowtype": [text_column("multiple statement execution")],
            "total": 1,
            "returned": 1,
            "queryResultFormat": "json",
            "rowset": [[message]],
            "statementTypeId": MULTIPLE_STATEMENTS,
            "resultIds": ",".join(self.ids),
            "resultTypes": ",".join(str(result.type_id) for result in self.results),
        }


def text_column(name: str) -> ColumnInfo:
    """The description of a VARCHAR column."""
    return {
        "name": name,
        "database": "",
        "schema": "",
        "table": "",
        "nullable": True,
        "type": "text",
        "byteLength": 16777216,
        "length": 16777216,
        "scale": None,
        "precision": None,
        "collation": None,
    }


def status_result(
    message: str = "Statement executed successfully.", type_id: int = SELECT
) -> StatementResult:
    """The one row that Snowflake answers to statements without a result of their own."""
    return StatementResult(pa.table({"status": [message]}), [text_column("status")], type_id)
