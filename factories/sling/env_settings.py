"""The `env` of a replication: which of Sling's settings it may hold."""

from __future__ import annotations

from collections.abc import Iterable

from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import YamlFile
from factories.sling.schema import PAID

PREFIX = "SLING_"
# Any other name is a variable of the replication's own, which `{name}` stands for.
KNOWN = (
    "SLING_ALLOW_EMPTY", "SLING_ALLOW_EMPTY_TABLES", "SLING_BULK_EXPORT_FLOW_CSV",
    "SLING_CHECKSUM_ROWS", "SLING_CLI_TOKEN", "SLING_DIRECT_INSERT", "SLING_DUCKDB_COMPUTE",
    "SLING_EXEC_ID_COLUMN", "SLING_GREATER_THAN_EQUAL", "SLING_INFER_DB_STREAM",
    "SLING_KEEP_TEMP", "SLING_LIMIT", "SLING_LOADED_AT_COLUMN", "SLING_MERGE_READERS",
    "SLING_ON_CONSTRAINT_FAILURE", "SLING_POOL", "SLING_PROCESS_BW", "SLING_PROJECT_TOKEN",
    "SLING_RECURSIVE_LIMIT", "SLING_ROW_ID_COLUMN", "SLING_ROW_NUM_COLUMN", "SLING_SAMPLE_SIZE",
    "SLING_SCHEMATA_LEVEL", "SLING_STAGING", "SLING_STREAM_URL_COLUMN",
    "SLING_TEMP_CLOUD_FOLDER", "SLING_TIMEOUT",
)  # fmt: skip
INSTEAD = {
    "SLING_RETRIES": f"{PAID}: write meta.dagster.retries",
    "SLING_THREADS": f"{PAID}: split the file, for files run at once",
    "SLING_STATE": f"{PAID}: mode: incremental asks the target what it has",
    "SLING_DRY_RUN": "would load nothing",
    **dict.fromkeys(
        ("SLING_HOME_DIR", "SLING_TEMP_DIR", "SLING_LOGGING", "SLING_OUTPUT"),
        "is set for each run: leave it out",
    ),
}


def check_env(file: YamlFile, names: Iterable[str], problems: list[Problem]) -> None:
    """Report settings that Sling does not have, or would not apply.

    Args:
        file: The replication.
        names: The keys of its `env`.
        problems: Receives what is wrong.
    """
    for name in names:
        at = ["env", name]
        if reason := INSTEAD.get(name):
            problems.append(file.problem(at, f"{name} {reason}", at_key=True))
        elif name.startswith(PREFIX) and name not in KNOWN:
            message = f"{name} is none of Sling's settings"
            near = nearest(name, KNOWN)
            problem = file.problem(at, message, allowed=KNOWN, nearest=near, at_key=True)
            problems.append(problem)
