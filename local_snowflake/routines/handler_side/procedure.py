"""Runs one call of a procedure."""

from __future__ import annotations

from typing import Any

from local_snowflake.routines.handler_side.channel import Channel
from local_snowflake.routines.handler_side.code import describe_error, load
from local_snowflake.routines.handler_side.values import from_json, to_json

_TIMEOUTS = {"login_timeout": 30}


def run(channel: Channel, message: dict[str, Any]) -> None:
    """Run the handler with a session of its caller, and send its result."""
    channel.end_with_server()
    try:
        from snowflake.snowpark import Session  # noqa: PLC0415 - it may be missing
    except ImportError as error:
        missing = f"snowflake-snowpark-python ({error})"
        channel.send_json({"error": {"missing": missing}})
        return
    session = Session.builder.configs({**message["connection"], **_TIMEOUTS}).create()
    channel.send_json({"ready": True})
    answer: dict[str, Any]
    try:
        handler = load(message["handler"], message["body"], message["imports"])
        arguments = [from_json(kind, value) for kind, value in message["arguments"]]
        result = handler(session, *arguments)
        if message["returns"] is None:
            answer = {"query_id": _query_id(session, result)}
        else:
            answer = {"value": to_json(message["returns"], result)}
    except BaseException as error:  # noqa: BLE001 - also sys.exit(): the caller gets an error
        answer = {"error": describe_error(error)}
    channel.send_json(answer)


def _query_id(session: Any, frame: Any) -> str:
    """Run the query of a returned data frame; the server finds its rows by the query's id."""
    if type(frame).__module__.partition(".")[0] == "pandas":
        frame = session.create_dataframe(frame)
    job = frame.collect_nowait()
    job.result("no_result")
    return str(job.query_id)
