"""Decimal numbers and the columns that hold them."""

from __future__ import annotations

from decimal import Decimal

MOST_DIGITS = 38  # of a number in Snowflake


def fits(value: Decimal, precision: int, scale: int) -> bool:
    """Tell whether a column of so many digits, some of them after the point, holds a number."""
    if not value.is_finite():
        return False
    return _places(value) <= scale and (not value or value.adjusted() < precision - scale)


def decimal_advice(name: str, value: Decimal | None = None) -> str:
    """Return what to write for a column whose numbers are too large for it.

    Args:
        name: The column, as the source calls it.
        value: A number that does not fit, where it is known.
    """
    scale = "…"
    if value is not None:
        if not value.is_finite():
            return f"write columns: {{{name}: {{data_type: text}}}}"
        places = _places(value)
        if places + max(0, value.adjusted() + 1) > MOST_DIGITS:
            return f"write columns: {{{name}: {{data_type: text}}}}"
        scale = str(places)
    return (
        f"write columns: {{{name}: {{data_type: decimal, precision: {MOST_DIGITS},"
        f" scale: {scale}}}}}, or {{data_type: text}}"
    )


def _places(value: Decimal) -> int:
    """Return how many digits a number has after the point; zeros at the end do not count."""
    _, digits, exponent = value.as_tuple()
    places = -int(exponent)
    for digit in reversed(digits):
        if places <= 0 or digit != 0:
            break
        places -= 1
    return max(0, places) if any(digits) else 0
