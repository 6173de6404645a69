"""Which automation condition a name stands for, of the built-in ones and a company's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from factories.core.conditions.operators import UnsupportedRuleError
from factories.core.meta.built_in_conditions import BUILT_IN
from factories.core.meta.named_conditions import (
    Condition,
    ConditionCall,
    ConditionError,
    NamedCondition,
)
from factories.core.yaml.models import validate
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.validation import HasPosition


def automation_condition(name: str, **config: object) -> Condition | None:
    """Return Dagster's condition for a word that YAML uses, for `@asset(automation_condition=…)`.

    Args:
        name: One of the built-in conditions; a company's own is called itself.
        **config: What stands under `automation_condition_config` in YAML.

    Raises:
        ConditionError: When there is no such condition, or its config is wrong.

    Example:
        >>> automation_condition("on_cron_no_deps", cron_schedule="0 5 * * *").get_label()
        'on_cron_no_deps(0 5 * * *, UTC)'
    """
    by_name = {condition.name: condition for condition in BUILT_IN}
    if name not in by_name:
        message = f"{name!r} is not an automation condition"
        near = nearest(name, by_name)
        places = ConditionCall(name)
        raise ConditionError([places.problem([], message, allowed=tuple(by_name), nearest=near)])
    return by_name[name](**config)


class AutomationConditions:
    """The conditions that a code location's YAML may name."""

    def __init__(self, own: Iterable[NamedCondition] = ()) -> None:
        """Join the built-in conditions and the company's own.

        Raises:
            ValueError: When a name is taken already.
        """
        by_name: dict[str, NamedCondition] = {}
        for condition in (*BUILT_IN, *own):
            if condition.name in by_name:
                raise ValueError(f"two automation conditions are named {condition.name!r}")
            by_name[condition.name] = condition
        self._by_name = by_name
        self._built: dict[str, Condition | None] = {}

    @property
    def names(self) -> list[str]:
        """The names that YAML may use."""
        return list(self._by_name)

    @property
    def config_keys(self) -> Mapping[str, set[str]]:
        """The keys of each condition's config, by the condition's name."""
        return {name: condition.config_keys for name, condition in self._by_name.items()}

    def resolve(
        self,
        name: str | None,
        config: Mapping[str, Any] | None,
        places: HasPosition,
        problems: list[Problem],
    ) -> Condition | None:
        """Return the Dagster condition for a name and its config.

        Args:
            name: The word in YAML; None, like `manual_only`, yields None.
            config: The value of `automation_condition_config`.
            places: Where the `meta.dagster` block was written.
            problems: Receives an unknown name, with the nearest, and wrong config.
        """
        if name is None:
            return None
        condition = self._by_name.get(name)
        if condition is None:
            problems.append(
                places.problem(
                    ["automation_condition"],
                    f"{name!r} is not an automation condition",
                    allowed=self.names,
                    nearest=nearest(name, self.names),
                )
            )
            return None
        # Thousands of assets share a few conditions, so each is built once.
        memo = f"{name}:{sorted((config or {}).items(), key=str)}"
        if memo not in self._built:
            needed = [key for key, f in condition.config.model_fields.items() if f.is_required()]
            if needed and not config:
                example = ", ".join(f"{key}: …" for key in needed)
                message = f"{name} needs automation_condition_config: {{{example}}}"
                problems.append(places.problem(["automation_condition"], message))
                return None
            found: list[Problem] = []
            inside = _ConfigPlaces(places)
            model = validate(condition.config, dict(config or {}), inside, found)
            if found or model is None:
                problems.extend(found)
                return None
            try:
                self._built[memo] = condition.build(model)
            except UnsupportedRuleError as error:
                problems.append(places.problem(["automation_condition"], f"{name}: {error}"))
                return None
        return self._built[memo]


class _ConfigPlaces:
    """The places inside a block's `automation_condition_config`."""

    def __init__(self, block: HasPosition) -> None:
        self._block = block

    def problem(self, path: Sequence[str | int], message: str, **details: Any) -> Problem:
        inside = ["automation_condition_config", *path]
        return self._block.problem(inside, message, **details)
