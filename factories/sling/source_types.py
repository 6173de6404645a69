"""The types of systems that Sling reads, and what they have in common."""

from __future__ import annotations

FILE_TYPES = frozenset(
    {
        "azure",
        "b2",
        "dropbox",
        "file",
        "ftp",
        "gdrive",
        "gs",
        "r2",
        "s3",
        "sftp",
        "spaces",
        "wasabi",
    }
)
# Databases that Sling reads without SQL.
WITHOUT_SQL = frozenset({"bigtable", "elasticsearch", "mongodb", "prometheus"})
# What Sling reads files with, where a stream has `sql`.
FILES_DIALECT = "duckdb"
# Databases whose names stand between backticks; all others have double quotes.
WITH_BACKTICKS = frozenset(
    {"bigquery", "clickhouse", "databricks", "mariadb", "mysql", "proton", "starrocks"}
)
