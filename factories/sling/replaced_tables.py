"""Streams that replace their table: Sling loads their rows into a new table beside it.

Sling 1.4 drops the table, makes it anew and then fills it, so that a reader finds it gone, or
empty; it has no option for another way. It is given another `object` here, in the copy of the
replication that a run works on, and `table_replacement.py` puts what it has loaded in the table's
place.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from factories.core.errors import StepStartError
from factories.core.warehouse.names import Relation
from factories.core.yaml.variables import interpolate
from factories.sling.replication_config import ResolvedReplication
from factories.sling.replications import Replication, Stream
from factories.sling.sql_variables import (
    find_refused_variable,
    names_object,
    render,
    stream_variables,
    time_variables,
)
from factories.sling.target_option_checks import FULL_REFRESH, NAMES_IN_DDL, TRUNCATE

MARK = "__DP_NEW_"
# `_TMP` has the table into which Sling copies its files first.
NEW_TABLE = re.compile(
    rf"(?P<table>.+){MARK}(?P<run>[0-9A-F]{{12}})(?P<temporary>_TMP)?", re.IGNORECASE
)
IN_LOG = re.compile(rf"{MARK}[0-9A-F]{{12}}", re.IGNORECASE)
TRANSIENT = re.compile(r"\btransient\s+table\b", re.IGNORECASE)
CLUSTERED = re.compile(r"\bcluster\s+by\b", re.IGNORECASE)
SQL_OPTIONS = ("pre_sql", "post_sql", "table_ddl")


class UnfitOptionError(StepStartError):
    """An option names the table in a way that cannot be kept while another one is loaded."""


@dataclass(frozen=True)
class StreamPlace:
    """What is known of a stream beside its config.

    Attributes:
        relation: The table that it loads; None where only Sling's log tells.
        database: That of the table; None for the connection's.
        variables: What Sling's variables stand for in SQL, by name.
    """

    relation: Relation | None = None
    database: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReplacedTable:
    """How the table of one stream is replaced.

    Attributes:
        place: What is known of it.
        suffix: What the name of the new table has after that of the table.
        keeps_table: Whether only the rows are replaced, as `truncate` does.
        transient: Whether the new table is a transient one.
        clustered: Whether it has a clustering key.
        post_sql: The stream's SQL for after the load; empty when it has none.
    """

    place: StreamPlace
    suffix: str
    keeps_table: bool = False
    transient: bool = False
    clustered: bool = False
    post_sql: str = ""


def find_places(replication: Replication, streams: Sequence[Stream]) -> dict[str, StreamPlace]:
    """Return what is known of the streams of a replication of `sling/`, by their names."""
    return {
        stream.name: StreamPlace(
            stream.relation,
            stream.relation.database,
            {
                **{key: str(value) for key, value in interpolate(dict(replication.env)).items()},
                **stream_variables(
                    stream.name,
                    replication.connection.name,
                    "" if stream.source.file else stream.source.schema,
                    "" if stream.source.file else stream.source.table,
                ),
            },
        )
        for stream in streams
    }


def new_table_suffix(run_id: str) -> str:
    """Return what the new tables of a run are called by: no other run's are, nor a person's."""
    try:
        token = uuid.UUID(run_id).hex
    except ValueError:
        token = uuid.uuid5(uuid.NAMESPACE_OID, run_id).hex
    return f"{MARK}{token[:12].upper()}"


def without_suffix(name: str) -> str:
    """Return the name of the table that a new one is for, as Sling's log writes it."""
    return IN_LOG.sub("", name)


def redirect_streams(
    replication: ResolvedReplication, places: Mapping[str, StreamPlace], suffix: str
) -> tuple[ResolvedReplication, dict[str, ReplacedTable]]:
    """Let each stream that would replace its table load a new one.

    Args:
        replication: What Sling would be given; its `defaults` hold under its streams.
        places: What is known of each stream.
        suffix: The run's own.

    Returns:
        What Sling is given, and how each of these tables is replaced.

    Raises:
        UnfitOptionError: When an option of such a stream cannot be kept.
    """
    defaults = replication.settings.get("defaults") or {}
    streams, replaced = dict(replication.streams), {}
    for name, own in replication.streams.items():
        config = {**defaults, **own}
        options = _merge_options(defaults, own)
        mode = config.get("mode") or FULL_REFRESH
        # With ignore_existing Sling leaves a table alone that is there.
        if not isinstance(config.get("object"), str) or options.get("ignore_existing"):
            continue
        relation = places[name].relation
        if mode == FULL_REFRESH or (mode == TRUNCATE and relation is not None):
            try:
                streams[name], replaced[name] = _redirect(
                    own, config, options, places[name], suffix
                )
            except UnfitOptionError as error:
                raise UnfitOptionError(f"{name}: {error}") from None
    return replace(replication, streams=streams), replaced


def _merge_options(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for settings in (defaults, own):
        options = settings.get("target_options")
        to_dict = getattr(options, "to_dict", None)  # Sling's own class for them
        merged |= to_dict() if callable(to_dict) else dict(options or {})
    return merged


def _redirect(
    own: Mapping[str, Any],
    config: Mapping[str, Any],
    options: dict[str, Any],
    place: StreamPlace,
    suffix: str,
) -> tuple[dict[str, Any], ReplacedTable]:
    template = config["object"].strip()
    # Sling keeps names that mix cases as they are: so that it still knows lower case ones.
    own_suffix = suffix if template == template.upper() else suffix.lower()
    options |= {key: _read_sql(key, options[key]) for key in SQL_OPTIONS if options.get(key)}
    redirected = _with_object_names(own, place.relation)
    redirected["object"] = (
        f'{template[:-1]}{own_suffix}"' if template.endswith('"') else f"{template}{own_suffix}"
    )
    post_sql, ddl = options.get("post_sql") or "", options.get("table_ddl") or ""
    if refused := find_refused_variable(post_sql, place.variables):
        raise UnfitOptionError(f"post_sql: the variable {{{refused}}} is not known here")
    if pre_sql := options.get("pre_sql"):
        if place.relation is None and names_object(pre_sql):
            raise UnfitOptionError("pre_sql: write the name of the table in place of the variable")
        options["pre_sql"] = _with_object_names(pre_sql, place.relation)
    if table_tmp := options.get("table_tmp"):
        options["table_tmp"] = _with_object_names(table_tmp, place.relation)
    if ddl:
        options["table_ddl"] = _with_new_table(ddl, place.relation, own_suffix)
    if "post_sql" in options:
        options["post_sql"] = ""  # not left out: those of the defaults would hold
    if options:
        redirected["target_options"] = options
    plan = ReplacedTable(
        place,
        own_suffix,
        keeps_table=config.get("mode") == TRUNCATE,
        transient=bool(TRANSIENT.search(ddl)),
        clustered="cluster" in (options.get("table_keys") or {}) or bool(CLUSTERED.search(ddl)),
        post_sql=post_sql,
    )
    return redirected, plan


def _read_sql(key: str, text: str) -> str:
    """Return SQL that is in a file of its own, as Sling reads it; any other as it is."""
    if not text.startswith("file://"):
        return text
    try:
        return Path(text.removeprefix("file://")).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise UnfitOptionError(f"{key}: {text} cannot be read: {error}") from None


def _with_new_table(ddl: str, relation: Relation | None, suffix: str) -> str:
    """Return `table_ddl` for the new table, whose name Sling puts for its variables."""
    if relation is not None:
        ddl = ddl.replace(
            _quote(relation), _quote(replace(relation, table=f"{relation.table}{suffix}"))
        )
    if suffix not in ddl and not NAMES_IN_DDL.search(ddl):
        raise UnfitOptionError("table_ddl: must call the table {object_name}")
    return ddl


def _with_object_names(value: Any, relation: Relation | None) -> Any:
    """Return settings in which the variables for the table stand for the one that is replaced."""
    if relation is None:
        return dict(value) if isinstance(value, Mapping) else value
    if isinstance(value, str):
        return render(value, object_variables(relation))
    if isinstance(value, Mapping):
        return {key: _with_object_names(each, relation) for key, each in value.items()}
    return (
        [_with_object_names(each, relation) for each in value] if isinstance(value, list) else value
    )


def _quote(relation: Relation) -> str:
    return f'"{relation.schema}"."{relation.table}"'


def object_variables(relation: Relation) -> dict[str, str]:
    """Return what Sling's variables for the loaded table stand for."""
    name = _quote(relation)
    return {
        "object_name": name,
        "object_full_name": name,
        "object_schema": relation.schema,
        "object_table": relation.table,
        "target_table": relation.table,
    }


def render_post_sql(plan: ReplacedTable, relation: Relation) -> str:
    """Return a stream's SQL for after the load, with the table that was replaced."""
    values = {**time_variables(), **plan.place.variables, **object_variables(relation)}
    return render(plan.post_sql, values)
