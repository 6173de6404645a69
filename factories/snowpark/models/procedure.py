"""Training inside Snowflake: the rows do not leave it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from snowflake.snowpark import Session

from factories.core.warehouse.names import Relation
from factories.core.warehouse.quoting import sql_literal
from factories.snowpark.config.entries import ModelEntry
from factories.snowpark.handler_archive import (
    build_packages_clause,
    find_handler_module,
    upload_code,
)
from factories.snowpark.in_snowflake.errors import ModelError

RUNTIME = "3.11"
# What is wrong with the data or the model comes back as a sentence: an error that is raised inside
# of Snowflake comes with a traceback through our own code.
BODY = """
import json
import {module} as users
from factories.snowpark.in_snowflake import training
from factories.snowpark.in_snowflake.errors import ModelError

def run(session, request):
    try:
        report = training.train(session, json.loads(request), users.{function})
    except ModelError as error:
        report = {{"error": str(error)}}
    return json.dumps(report)
"""


def train_in_snowflake(
    session: Session, entry: ModelEntry, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Call the user's training function in a stored procedure, and return its report.

    The procedure is the session's own and goes with it; it runs with its caller's rights.

    Raises:
        ModelError: As `train`.
    """
    code = upload_code(session, entry.stage, entry.folder)
    module, function = find_handler_module(str(entry.function), entry.folder)
    unique = f"TRAIN_{uuid.uuid4().hex[:12].upper()}"
    name = Relation(entry.registry.database, entry.registry.schema, unique).sql
    body = BODY.format(module=module, function=function)
    session.sql(
        f"create temporary procedure {name}(request varchar) returns varchar language python"
        f" runtime_version = '{RUNTIME}' packages = ({build_packages_clause(entry.packages)})"
        f" imports = ({sql_literal(code)}) handler = 'run' execute as caller as $${body}$$"
    ).collect()
    (row,) = session.sql(f"call {name}(?)", params=[json.dumps(request)]).collect()
    report: dict[str, Any] = json.loads(row[0])
    if "error" in report:
        raise ModelError(report["error"])
    return report
