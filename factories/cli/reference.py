"""`dp docs`: the reference of every key of every YAML file, generated from the models."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from factories.automation import BUILT_IN
from factories.checks import ChecksSpec, ColumnsCheck, RowsCheck
from factories.cli.type_words import TypeWords
from factories.freshness import FreshnessSpec
from factories.models import UNIT_NAMES
from factories.partitions import PartitionSpec
from factories.project import project_root
from factories.retries import RetrySpec
from factories.sling.schema import (
    CONNECTION_TYPES,
    ConnectionsFile,
    ReplicationFile,
    SlingStream,
    SourceOptions,
    TargetOptions,
)
from factories.spec import DagsterMeta

REFERENCE = "docs/reference/yaml.md"
NONE = "—"
NOT_IN_AN_ANCHOR = re.compile(r"[^a-z0-9 _-]")

INTRO = """\
# YAML reference

Every key of every YAML file. This page is generated from the models that read the files: change
those and run `dp docs`.

- A key that is not listed here is an error, and `dp check` names the nearest that is. It reports
  all problems of all files at once, each with its line and column.
- `${VAR}` in a value is read from the environment when something runs.
- A *duration* is a number and a unit, seconds to weeks: `30s`, `15m`, `36h`, `7d`, `2w`.
- A *cron schedule* has five fields, minute, hour, day, month and weekday: `"0 5 * * *"`.
- A *date* is written `2013-01-01` or `2013-01-01T06:00`, without an offset. It needs no quotes.
- A *time zone* is a name of the tz database, such as `America/New_York`.
- An *asset key* is written with slashes: `flight_ops/raw/flights`.
"""


@dataclass(frozen=True)
class Section:
    """The keys of one model.

    Attributes:
        title: The heading, in Markdown.
        model: Where the keys come from.
        text: What a reader should know beside the keys, in Markdown.
        example: YAML that the model accepts.
        level: Of the heading.
        types: What to show as the type of keys whose content another section describes.
    """

    title: str
    model: type[BaseModel]
    text: str = ""
    example: str = ""
    level: int = 2
    types: dict[str, str] = field(default_factory=dict)


SECTIONS = (
    Section(
        "Connections",
        ConnectionsFile,
        f"A connection's `type` is one of {', '.join(CONNECTION_TYPES)}.",
        """\
connections:
  flight_ops: {type: postgres, url: "${FLIGHT_OPS_URL}"}
""",
        types={"connections": "mapping of names to a URL or a mapping of properties"},
    ),
    Section(
        "Replications",
        ReplicationFile,
        "Every file in `sling/` but `connections.yaml` is one. It makes an asset"
        " `<source>/raw/<table>` for each stream.",
        """\
source: flight_ops
target: SNOWFLAKE
defaults:
  mode: full-refresh
  object: flight_ops.{stream_table}
streams:
  ops.airlines:
  ops.flights: {mode: incremental, primary_key: [flight_id], update_key: updated_at}
""",
        types={
            "defaults": "the keys of [a stream](#a-stream)",
            "streams": "mapping of names to [streams](#a-stream); may be empty",
        },
    ),
    Section(
        "A stream",
        SlingStream,
        "Valid on each stream and under `defaults`. The stream's own value wins; `source_options`"
        " and `target_options` are merged key by key. `object` must be given in one of the two"
        " places. `incremental` needs `primary_key`, `update_key` or both; `backfill` needs both,"
        " and a `range` or a partition.",
        level=3,
        types={"meta": "mapping with the key `dagster`: [`meta.dagster`](#metadagster)"},
    ),
    Section("`source_options`", SourceOptions, level=3),
    Section("`target_options`", TargetOptions, level=3),
    Section(
        "`meta.dagster`",
        DagsterMeta,
        "Valid in a file's `defaults` and on each stream; the more specific wins, key by key."
        " `tags`, `retries`, `checks` and `automation_condition_config` are merged key by key"
        " themselves; any other value is replaced whole.",
        """\
automation_condition: on_cron_no_deps
automation_condition_config: {cron_schedule: "0 5 * * *", cron_timezone: America/New_York}
group: flight_ops
description: One row per departure from New York that was scheduled.
owners: ["team:flight-ops", ana@example.com]
tags: {domain: operations, pii: "false"}
deps: [weather_api/raw/observations]
partition: {type: daily, start: 2013-01-01}
freshness: {fail_after: 36h, warn_after: 26h}
retries: {max: 3, delay: 30s, backoff: exponential, jitter: full}
checks:
  rows: {min: 1}
  columns: {not_null: [flight_id], unique: [flight_id]}
  schema: no_removed_columns
""",
        types={
            "automation_condition": "the name of an [automation condition](#automation-conditions)",
            "automation_condition_config": "mapping: see the"
            " [automation condition](#automation-conditions)",
        },
    ),
    Section(
        "`partition`",
        PartitionSpec,
        "Partitions by time need `start`; `static` ones need `keys`. A run loads the rows with"
        " start ≤ `column` < end. `column` is by default the stream's `update_key`.",
        "{type: monthly, start: 2013-01-01, timezone: America/New_York, column: sched_dep_time}\n",
        level=3,
    ),
    Section(
        "`freshness`",
        FreshnessSpec,
        example='{cron: "0 8 * * *", within: 3h, timezone: America/New_York}\n',
        level=3,
    ),
    Section(
        "`retries`",
        RetrySpec,
        "Only the streams that failed are tried again.",
        "{max: 2, delay: 30s, backoff: exponential, jitter: full}\n",
        level=3,
    ),
    Section(
        "`checks`",
        ChecksSpec,
        example="""\
rows: {min: 1}
columns: {not_null: [flight_id], unique: [flight_id]}
schema: no_removed_columns
""",
        level=3,
    ),
    Section("`checks.rows`", RowsCheck, "Give `min`, `max` or both.", level=3),
    Section("`checks.columns`", ColumnsCheck, level=3),
)


def write_reference() -> Path:
    """Write the reference into the project and return where it is."""
    path = project_root() / REFERENCE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(reference(), encoding="utf-8")
    return path


def reference() -> str:
    """Return the reference as Markdown."""
    parts = [INTRO, *(_section(section) for section in SECTIONS), *_conditions()]
    return "\n".join(parts)


def _section(section: Section) -> str:
    parts = [f"{'#' * section.level} {section.title}\n", f"{_doc(section.model)}\n"]
    if section.text:
        parts.append(f"{section.text}\n")
    if section.example:
        parts.append(f"```yaml\n{section.example}```\n")
    parts.append(_table(section.model, section.types))
    return "\n".join(parts)


def _conditions() -> Iterator[str]:
    yield (
        "## Automation conditions\n\n"
        "`automation_condition` names one of these; `automation_condition_config` holds its keys.\n"
    )
    for condition in BUILT_IN:
        keys = _table(condition.config, {}) if condition.config_keys else "It takes no config.\n"
        yield f"### `{condition.name}`\n\n{_doc(condition.build)}\n\n{keys}"


def _doc(documented: object) -> str:
    """Return the first paragraph of a docstring as one line."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def _table(model: type[BaseModel], types_of: dict[str, str]) -> str:
    words = TypeWords({section.model: _link(section.title) for section in SECTIONS})
    rows = ["| key | type | default | description |", "| --- | --- | --- | --- |"]
    for name, info in model.model_fields.items():
        key = info.alias or name
        cells = [
            f"`{key}`",
            types_of.get(key) or words.of(info.annotation, info.metadata),
            _default(info),
            info.description or "",
        ]
        escaped = (cell.replace("|", r"\|") for cell in cells)
        rows.append(f"| {' | '.join(escaped)} |")
    return "\n".join([*rows, ""])


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ((), {}):
        return NONE
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, timedelta):
        return f"`{_duration(value)}`"
    return f"`{value}`"


def _duration(value: timedelta) -> str:
    """Return a duration in the largest unit that divides it, as it would stand in YAML."""
    for unit, name in reversed(UNIT_NAMES.items()):
        count, rest = divmod(value, timedelta(**{name: 1}))
        if not rest:
            return f"{count}{unit}"
    return f"{value.total_seconds()}s"


def _link(title: str) -> str:
    """Return a link to a heading of the page, with the anchor that GitHub gives it."""
    anchor = NOT_IN_AN_ANCHOR.sub("", title.lower()).replace(" ", "-")
    return f"[{title}](#{anchor})"
