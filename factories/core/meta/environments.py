"""The key `environments`: in which targets something runs by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from factories.core.yaml.models import as_list
from factories.core.yaml.variables import target

OF_THEIR_OWN = ("local", "dev", "prod")
Environment = Literal["local", "dev", "prod", "branch"]
EnvironmentNames = Annotated[tuple[Environment, ...], BeforeValidator(as_list), Field(min_length=1)]


def why_off_here(environments: Sequence[str] | None, environ: Mapping[str, str]) -> str | None:
    """Return why something is off in this process's target, as a sentence; None when it is not.

    Args:
        environments: Where it is on; `branch` stands for the target of any branch deployment.
        environ: The environment.
    """
    name = target(environ)
    kind = name if name in OF_THEIR_OWN else "branch"
    if environments is None or kind in environments:
        return None
    listed = " and ".join(environments)
    return f"Switched off here: it is for {listed}, and this target is {name}."
