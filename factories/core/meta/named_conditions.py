"""Automation conditions that have a name: a word in YAML, a function in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

import dagster as dg

from factories.core.conditions.operators import UnsupportedRuleError
from factories.core.yaml.models import StrictModel, validate
from factories.core.yaml.problems import Problem

ConfigT = TypeVar("ConfigT", bound=StrictModel)
Condition = dg.AutomationCondition[Any]


class NoConfig(StrictModel):
    """The condition takes no config."""


@dataclass(frozen=True)
class NamedCondition:
    """An automation condition that YAML can name.

    Attributes:
        name: The word in YAML.
        config: The model of `automation_condition_config`.
        build: Makes Dagster's condition; None stands for never.
    """

    name: str
    config: type[StrictModel]
    build: Callable[[Any], Condition | None]

    @property
    def config_keys(self) -> set[str]:
        """The keys that the condition's config takes."""
        return set(self.config.model_fields)

    def __call__(self, **config: object) -> Condition | None:
        """Return Dagster's condition, for `@asset(automation_condition=…)`; None stands for never.

        Args:
            **config: What stands under `automation_condition_config` in YAML.

        Raises:
            ConditionError: When the config is wrong.
        """
        places = ConditionCall(self.name)
        needed = [key for key, f in self.config.model_fields.items() if f.is_required()]
        if missing := [key for key in needed if key not in config]:
            arguments = ", ".join(f"{key}=…" for key in missing)
            raise ConditionError([places.problem([], f"{self.name} needs {arguments}")])
        problems: list[Problem] = []
        model = validate(self.config, config, places, problems)
        if model is None:
            raise ConditionError(problems)
        try:
            return self.build(model)
        except UnsupportedRuleError as error:
            raise ConditionError([places.problem([], f"{self.name}: {error}")]) from None


class ConditionError(ValueError):
    """A condition that Python asks for by its name cannot be made.

    Attributes:
        problems: What is wrong; the caller knows the place.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


def named_condition(
    name: str,
) -> Callable[[Callable[[ConfigT], Condition | None]], NamedCondition]:
    """Make a named condition of a function that takes its config.

    YAML uses its name; Python calls it, with the config as keyword arguments.

    Example:
        >>> @named_condition("on_missing")
        ... def on_missing(config: NoConfig) -> Condition:
        ...     return dg.AutomationCondition.on_missing()
        >>> on_missing.name
        'on_missing'
        >>> on_missing().get_label()
        'on_missing'

    Raises:
        TypeError: When the function does not take one annotated config.
    """

    def decorate(build: Callable[[ConfigT], Condition | None]) -> NamedCondition:
        hints = get_type_hints(build)
        configs = [hint for argument, hint in hints.items() if argument != "return"]
        if len(configs) != 1 or not issubclass(configs[0], StrictModel):
            raise TypeError(
                f"{build.__name__}: an automation condition takes its config, annotated with a"
                " StrictModel, and nothing else"
            )
        return NamedCondition(name, configs[0], build)

    return decorate


@dataclass(frozen=True)
class ConditionCall:
    """The place of a condition that Python asks for, as far as is known without its file."""

    name: str

    def problem(self, path: Sequence[str | int], message: str, **details: Any) -> Problem:  # noqa: ARG002 - keywords have no places
        """Return a problem with the condition's name in place of a file."""
        details = {key: value for key, value in details.items() if key in {"allowed", "nearest"}}
        return Problem(f"automation_condition({self.name!r})", 0, 0, message, **details)
