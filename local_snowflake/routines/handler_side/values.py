"""Converts values between SQL types and Python types.

See https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-data-type-mapping.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

SEMI_STRUCTURED = {"VARIANT", "ARRAY", "OBJECT"}


def from_json(kind: str, value: Any) -> Any:
    """Convert a procedure's argument from its JSON form."""
    if value is None:
        return None
    if kind in SEMI_STRUCTURED:
        return json.loads(value)
    if kind == "NUMBER":
        return value if isinstance(value, int) else Decimal(value)
    if kind == "BINARY":
        return bytes.fromhex(value)
    readers = {
        "DATE": date.fromisoformat,
        "TIME": time.fromisoformat,
        "TIMESTAMP_NTZ": datetime.fromisoformat,
        "TIMESTAMP_LTZ": datetime.fromisoformat,
        "TIMESTAMP_TZ": datetime.fromisoformat,
    }
    return readers[kind](value) if kind in readers else value


def to_json(kind: str, value: Any) -> Any:
    """Convert a procedure's result to a JSON value that DuckDB can cast to its type."""
    value = to_python_type(kind, value)
    if isinstance(value, bytes):
        # DuckDB's notation of a binary value.
        return "".join(f"\\x{byte:02X}" for byte in value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | bool | int | float | None) else str(value)


def to_python_type(kind: str, value: Any) -> Any:
    """Convert a handler's result to the Python type of its SQL type.

    Raises:
        TypeError: It cannot be converted.
        ValueError: It cannot be converted.
    """
    value = _unwrapped(value)
    if value is None or (isinstance(value, Decimal) and value.is_nan()):
        return None
    if kind in SEMI_STRUCTURED:
        return json.dumps(_structure(value))
    return _READERS.get(kind, _same)(value)


def _same(value: Any) -> Any:
    return value


def _date(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value


def _timestamp(value: Any) -> Any:
    is_date = isinstance(value, date) and not isinstance(value, datetime)
    return datetime.combine(value, time()) if is_date else value


def _number(value: Any) -> int | Decimal:
    if isinstance(value, bool | int | str):
        return int(value)
    number = Decimal(str(value))
    return int(number) if number == number.to_integral_value() else number


def _unwrapped(value: Any) -> Any:
    """Convert scalars of numpy and pandas to Python's."""
    if type(value).__module__.partition(".")[0] in {"numpy", "pandas"}:
        for method in ("to_pydatetime", "item"):
            if hasattr(value, method) and getattr(value, "ndim", 0) == 0:
                try:
                    return getattr(value, method)()
                except (TypeError, ValueError):
                    return None  # NaT and NA
        if type(value).__name__ in {"NAType", "NaTType"}:
            return None
    return value


def _structure(value: Any) -> Any:
    """Convert a value of VARIANT to its JSON form."""
    value = _unwrapped(value)
    if isinstance(value, dict):
        return {str(key): _structure(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_structure(item) for item in value]
    if hasattr(value, "tolist"):
        return _structure(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return _number(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, str | bool | int | float | None) else str(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "VARCHAR": str,
    "NUMBER": _number,
    "FLOAT": float,
    "BOOLEAN": bool,
    "BINARY": bytes,
    "DATE": _date,
    "TIMESTAMP_NTZ": _timestamp,
    "TIMESTAMP_LTZ": _timestamp,
    "TIMESTAMP_TZ": _timestamp,
}
