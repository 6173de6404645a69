"""Numbers that no column of the warehouse holds: found where they are read, by their field.

dlt writes rows as JSON, which has no NaN and no infinity: both would become NULL without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from math import isnan
from typing import Any

from dlt.common.configuration.container import Container
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.schema import Schema
from dlt.extract import DltResource

from factories.dlt.decimals import decimal_advice, fits
from factories.dlt.errors import LoadedDataError


class NumberLimits:
    """How large the numbers of a resource's fields may be."""

    def __init__(self, resource: DltResource, schema: Schema) -> None:
        """Take the resource and the schema of its source, which know the columns."""
        self._resource = resource
        self._schema = schema
        self._limits: dict[str, tuple[int, int] | None] = {}
        self._texts: dict[str, bool] = {}
        self.missing: Counter[str] = Counter()  # how often each field was NaN

    def check(self, name: str, value: int | Decimal) -> None:
        """Refuse a number that does not fit.

        Raises:
            LoadedDataError: When it does not; names the table, the field and what to write.
        """
        if isinstance(value, int):
            raise LoadedDataError(
                f"the field {name!r} of {self._resource.table_name} holds {value}, a whole number"
                " of more than 64 bits: the source must give it as text, or as a Decimal"
            )
        if name not in self._limits:
            self._limits[name] = self._find_limits(name)
        limits = self._limits[name]
        if limits is not None and not fits(value, *limits):
            precision, scale = limits
            raise LoadedDataError(
                f"the field {name!r} of {self._resource.table_name} holds {value}, which does not"
                f" fit a decimal of {precision} digits, {scale} of them after the point:"
                f" {decimal_advice(name, value)}"
            )

    def check_float(self, path: Sequence[str], value: float) -> None:
        """Count what is NaN, refuse what is infinite; a column of text holds both.

        Args:
            path: The field's name, after those of the fields that it is in.
            value: What it holds.

        Raises:
            LoadedDataError: When it is infinite.
        """
        name = ".".join(path)
        if name not in self._texts:
            self._texts[name] = self._find_column("__".join(path)).get("data_type") == "text"
        if self._texts[name]:
            return
        if not isnan(value):
            raise LoadedDataError(
                f"the field {name!r} of {self._resource.table_name} holds {value}, which dlt would"
                f" load as NULL: give another value in the source{_advise_text(path)}"
            )
        self.missing[name] += 1

    def _find_limits(self, name: str) -> tuple[int, int] | None:
        """Return the precision and scale of a field's column; None when it is no decimal."""
        column = self._find_column(name)
        capabilities = Container().get(DestinationCapabilitiesContext)
        default = capabilities.decimal_precision if capabilities else None
        if column.get("data_type", "decimal") != "decimal" or default is None:
            return None
        precision, scale = column.get("precision"), column.get("scale")
        return (default[0], default[1]) if precision is None else (precision, scale or 0)

    def _find_column(self, name: str) -> dict[str, Any]:
        hints = self._resource.columns
        if isinstance(hints, dict) and name in hints:
            return {**hints[name]}
        naming = self._schema.naming
        table = naming.normalize_tables_path(str(self._resource.table_name))
        known = self._schema.tables.get(table, {"columns": {}})["columns"]
        return {**known.get(naming.normalize_path(name), {})}


def _advise_text(path: Sequence[str]) -> str:
    return f", or write columns: {{{path[0]}: {{data_type: text}}}}" if len(path) == 1 else ""
