"""Compares a YAML value with a parameter's annotation, which is read as text."""

from __future__ import annotations

from collections.abc import Mapping

PLAIN: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
    "None": (type(None),),
}
WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
    "None": "empty",
}


def expected_type(annotation: str, value: object) -> str | None:
    """Return in words what a parameter accepts, if the value does not fit.

    Example:
        >>> expected_type("int | None", "2013-01-01")
        'a whole number or empty'

    Args:
        annotation: The annotation as it is written.
        value: A plain YAML value.

    Returns:
        None if the value fits, or if the annotation uses names other than built-in types.
    """
    members = [part.strip().partition("[")[0] for part in annotation.split("|")]
    if not all(member in PLAIN for member in members):
        return None
    kinds = tuple(kind for member in members for kind in PLAIN[member])
    fits = isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)
    return None if fits else " or ".join(WORDS[member] for member in members)
