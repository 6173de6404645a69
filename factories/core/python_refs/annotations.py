"""Values of YAML against a parameter's annotation, as far as its text alone says what it takes."""

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
    """Return what a parameter takes, in words, where a value is something else.

    Example:
        >>> wanted("int | None", "2013-01-01")
        'a whole number or empty'

    Args:
        annotation: The annotation as it is written.
        value: A plain YAML value.

    Returns:
        None where the value fits, and where the annotation has names whose meaning is not known.
    """
    members = [part.strip().partition("[")[0] for part in annotation.split("|")]
    if not all(member in PLAIN for member in members):
        return None
    kinds = tuple(kind for member in members for kind in PLAIN[member])
    fits = isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)
    return None if fits else " or ".join(WORDS[member] for member in members)
