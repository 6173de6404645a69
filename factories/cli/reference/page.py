"""`dp docs`: the reference of every key of every YAML file, generated from the models."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from factories.cli.reference.section import Section
from factories.cli.reference.sections import SECTIONS
from factories.cli.reference.type_words import TypeWords
from factories.core.meta.built_in_conditions import BUILT_IN
from factories.core.project import project_root
from factories.core.yaml.models import UNIT_NAMES

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
- A file is UTF-8 text of at most 5 MB, nested at most 100 levels deep, whose aliases (`*name`)
  stand for at most 250,000 values. dbt's files are held to the same before dbt reads them.
"""


CONDITION_TYPES = {
    "retry": "mapping of `max`, a whole number, and `delay`, a duration",
    "catch_up": "`latest`, `all` or a whole number",
    "deps_since": "`tick`, `midnight` or a cron schedule",
}


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
    parts.append(_table(section.model, section.types, section.without))
    return "\n".join(parts)


def _conditions() -> Iterator[str]:
    yield (
        "## Automation conditions\n\n"
        "`automation_condition` names one of these; `automation_condition_config` holds its keys.\n"
    )
    for condition in BUILT_IN:
        takes = _table(condition.config, CONDITION_TYPES)
        keys = takes if condition.config_keys else "It takes no config.\n"
        yield f"### `{condition.name}`\n\n{_doc(condition.build)}\n\n{keys}"


def _doc(documented: object) -> str:
    """Return the first paragraph of a docstring as one line."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def _table(
    model: type[BaseModel], types_of: dict[str, str], without: type[BaseModel] | None = None
) -> str:
    words = TypeWords({section.model: _link(section.title) for section in SECTIONS})
    rows = ["| key | type | default | description |", "| --- | --- | --- | --- |"]
    for name, info in model.model_fields.items():
        key = info.alias or name
        if without is not None and _is_same(without.model_fields.get(name), info):
            continue
        cells = [
            f"`{key}`",
            types_of.get(key) or words.of(info.annotation, info.metadata),
            _default(info),
            info.description or "",
        ]
        escaped = (cell.replace("|", r"\|") for cell in cells)
        rows.append(f"| {' | '.join(escaped)} |")
    return "\n".join([*rows, ""])


def _is_same(general: FieldInfo | None, info: FieldInfo) -> bool:
    return general is not None and general.description == info.description


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
    if isinstance(value, BaseModel):
        inside = [f"{name}: {_default(part)}" for name, part in type(value).model_fields.items()]
        return f"`{{{', '.join(inside).replace('`', '')}}}`"
    return f"`{value}`"


def _duration(value: timedelta) -> str:
    """Return a duration in the largest unit that divides it, as it would stand in YAML."""
    for unit, name in reversed(UNIT_NAMES.items()):
        count, rest = divmod(value, timedelta(**{name: 1}))
        if not rest and (count or unit == "s"):
            return f"{count}{unit}"
    return f"{value.total_seconds()}s"


def _link(title: str) -> str:
    """Return a link to a heading of the page, with the anchor that GitHub gives it."""
    anchor = NOT_IN_AN_ANCHOR.sub("", title.lower()).replace(" ", "-")
    return f"[{title}](#{anchor})"
