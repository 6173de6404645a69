"""The cursor of rows that no schema describes: each row shows whether a window fits it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dlt
from dlt.common.jsonpath import compile_path, extract_simple_field_name, find_values
from dlt.common.libs import is_arrow_object, is_pandas_frame
from dlt.extract import DltResource

from factories.core.execution.window import Window
from factories.dlt.config.schema import Incremental
from factories.dlt.source.cursor import incremental_arguments
from factories.dlt.source.cursor_values import CursorValues


def add_cursor(made: DltResource, settings: Incremental, covered: Window | None) -> None:
    """Give a resource its cursor.

    With a window and no `datetime_format`, its bounds are times with a zone. Rows of another kind
    are refused by name: dlt would read times without zone as UTC, and fail on the others with
    Python's own error.
    """
    arguments = incremental_arguments(settings, covered)
    made.apply_hints(incremental=dlt.sources.incremental(**arguments))
    if covered is not None:
        check_cursor(made, settings.cursor_path, settings.datetime_format, covered)


def check_cursor(made: DltResource, path: str, form: str | None, covered: Window) -> None:
    """Let a resource refuse rows whose cursor cannot be compared with a window's bounds.

    Args:
        made: The resource.
        path: The JSON path of the cursor.
        form: Its `datetime_format`; None for times with a zone.
        covered: The window of the run's partitions.
    """
    expected = CursorValues(path, form, covered)
    compiled = compile_path(path)
    name = extract_simple_field_name(compiled)

    def check(item: Any) -> Any:
        if not isinstance(item, Mapping):
            expected.check_all(_values(item, name))
        elif name is not None:
            expected.check(item.get(name))
        else:
            expected.check(next(iter(find_values(compiled, dict(item))), None))
        return item

    made.add_map(check)


def _values(item: Any, name: str | None) -> Iterable[Any]:
    """Return the cursor's values in a table, each once, or in an object of another kind."""
    if name is None:
        return []
    if is_pandas_frame(item):
        return list(item[name].dropna().unique()) if name in item else []
    if is_arrow_object(item):
        if name not in item.schema.names:
            return []
        return list(item.column(name).drop_null().unique().to_pylist())
    return [getattr(item, name, None)]
