"""Whether a translator that a company gives to `build_definitions` can be used."""

from __future__ import annotations

from collections.abc import Iterable

from factories.core.yaml.problems import Problem


def find_translator_problem(
    argument: str, translator: object, base: type, superseded: Iterable[str]
) -> Problem | None:
    """Return why a translator cannot be used; None when it can.

    The tools' own translators do not know what `meta.dagster` says: it would be lost.

    Args:
        argument: Of `build_definitions`, such as `sling_translator`.
        translator: What it was given.
        base: The class that it must derive from.
        superseded: The methods of the tool's own translator that the factories never call.
    """
    if isinstance(translator, type):
        name = translator.__name__
        return Problem(argument, 0, 0, f"must be an instance, {name}(), not the class {name}")
    name = type(translator).__name__
    if not isinstance(translator, base):
        message = (
            f"must be a {base.__name__}, not {name}: derive the class from"
            f" {base.__module__}.{base.__name__}"
        )
        return Problem(argument, 0, 0, message)
    for method in superseded:
        if getattr(type(translator), method) is not getattr(base, method):
            message = f"{name}.{method} is superseded and never called: override get_asset_spec"
            return Problem(argument, 0, 0, message)
    return None
