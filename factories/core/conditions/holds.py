"""Finds what holds a unit of an asset back, though it has a cause to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import dagster as dg

from factories.core.conditions.memory import WHOLE, Cause
from factories.core.conditions.rule import (
    CRON_NO_DEPS,
    CRON_WITH_DEPS,
    MIDNIGHT,
    TICK,
    AutomationRule,
)
from factories.core.conditions.tick_facts import TickFacts
from factories.core.conditions.times import last_tick, midnight, moment_text
from factories.core.conditions.unit_facts import Key, Subset

# While another code location loads again, its assets look like external ones, which hold nothing.
UNLOADED_SECONDS = 3600.0


@dataclass(frozen=True)
class Hold:
    """What a unit waits for.

    Attributes:
        text: In words.
        soon: Whether it ends by itself in a moment, so that downstream assets wait as well.
    """

    text: str
    soon: bool = False


class HoldFinder:
    """Finds what holds the units of one asset back."""

    def __init__(
        self,
        rule: AutomationRule,
        facts: TickFacts,
        key: Key,
        parents: Sequence[dg.AssetKey],
        requested: dict[dg.AssetKey, Subset],
        *,
        unmade: Mapping[str, float],
    ) -> None:
        """Take the rule, the facts, the asset, the upstream assets that count, and their requests.

        Args:
            rule: The asset's.
            facts: Of this evaluation.
            key: The asset.
            parents: The upstream assets that count; external ones, which no run has ever made, hold
                nothing back.
            requested: What this evaluation asks for of upstream assets.
            unmade: What the evaluation before knew of upstream assets that were never made.
        """
        self._rule = rule
        self._facts = facts
        self._key = key
        made_here = [parent for parent in parents if facts.graph.get(parent).is_materializable]
        self._parents = made_here
        self._unloaded = [
            parent
            for parent in parents
            if parent not in made_here and facts.was_made_by_run(parent)
        ]
        # One that was never made leaves no trace but this.
        self._unmade_unloaded = [
            parent
            for parent in parents
            if parent not in made_here
            and facts.now < unmade.get(_name(parent), 0.0) + UNLOADED_SECONDS
        ]
        self.unmade = {
            **{name: unmade[name] for name in map(_name, self._unmade_unloaded)},
            **{_name(each): facts.now for each in made_here if facts.latest(each) is None},
        }
        self._requested = requested

    def with_waits(self, unit: str, cause: Cause) -> Cause:
        """Return a cause that knows what it may wait for.

        Only runs that were there when the cause was noticed, and assets that were about to run: an
        asset with many upstream assets, one of which always runs, would never get its turn.
        """
        if cause.waits is not None or self._rule.name == CRON_NO_DEPS:
            return cause
        waits = []
        for parent in self._parents:
            if run_id := self._open_upstream_run(parent, unit):
                waits.append(run_id)
            if parent in self._facts.expected:
                waits.append(parent.to_user_string())
        return replace(cause, waits=tuple(waits))

    def find(self, unit: str, cause: Cause) -> Hold | None:
        """Return the first thing that holds a unit back, None when it can run."""
        return next(self._holds(unit, cause), None)

    def _holds(self, unit: str, cause: Cause) -> Iterator[Hold]:
        facts = self._facts
        if run_id := facts.open_run(self._key, unit):
            yield Hold(f"it is being made by {_run_text(run_id)}", soon=True)
        if facts.now < cause.due:
            yield Hold(f"it is tried again at {moment_text(cause.due)}")
        if facts.now < cause.since + self._rule.debounce and cause.attempt == 1:
            until = moment_text(cause.since + self._rule.debounce)
            yield Hold(f"further changes are collected until {until}", soon=True)
        unloaded = self._unloaded if facts.now < cause.since + UNLOADED_SECONDS else []
        if unloaded := [*unloaded, *self._unmade_unloaded]:
            names = ", ".join(map(_name, unloaded))
            yield Hold(f"the code location that makes {names} is not loaded")
        for parent in self._parents:
            units = facts.upstream_units(self._key, unit, parent)
            together = facts.requested_together(parent, self._key, self._requested.get(parent))
            if set(units) <= together:
                continue
            yield from self._upstream_holds(parent, units, cause)

    def _upstream_holds(
        self, parent: dg.AssetKey, units: Sequence[str], cause: Cause
    ) -> Iterator[Hold]:
        facts, name = self._facts, parent.to_user_string()
        if self._rule.name != CRON_NO_DEPS:
            if missing := facts.missing_units(parent, units):
                yield Hold(f"{name} was never made{_units_text(missing)}")
            waits = cause.waits or ()
            run_id = next((found for u in units if (found := facts.open_run(parent, u))), None)
            if run_id in waits:
                yield Hold(f"{name} is being made by {_run_text(run_id)}", soon=True)
            expected = facts.expected.get(parent)
            if name in waits and expected is not None and expected <= cause.since:
                yield Hold(f"{name} is about to run", soon=True)
        if self._rule.name == CRON_WITH_DEPS and cause.tick is not None:
            yield from self._not_updated_since(parent, units, cause, cause.tick)
        for unit in units:
            if problem := facts.check_problem(parent, unit):
                yield Hold(problem)

    def _open_upstream_run(self, parent: dg.AssetKey, unit: str) -> str | None:
        for one in self._facts.upstream_units(self._key, unit, parent):
            if run_id := self._facts.open_run(parent, one):
                return run_id
        return None

    def _not_updated_since(
        self, parent: dg.AssetKey, units: Sequence[str], cause: Cause, tick: float
    ) -> Iterator[Hold]:
        since = self._since(tick)
        if list(units) == [WHOLE]:
            made = self._facts.latest(parent)
        else:
            # The partition that its last upstream partition, such as the hour that ends the day,
            # completes.
            made = self._facts.latest(parent, units[-1]) if units else None
        if made is None:
            return  # that it is missing was said
        if self._rule.deps_since == TICK:
            # Events and ticks are compared by what the evaluation before the tick had seen; a
            # clock only where it is certain.
            before = made.event <= cause.event or cause.seen <= made.timestamp < since
        else:
            before = made.timestamp < since
        if before:
            text = moment_text(since, self._rule.cron_timezone)
            name = parent.to_user_string()
            yield Hold(f"{name} was not updated since {text}")

    def _since(self, tick: float) -> float:
        rule = self._rule
        if rule.deps_since == TICK:
            return tick
        if rule.deps_since == MIDNIGHT:
            return midnight(rule.cron_timezone, tick)
        return last_tick(rule.deps_since, rule.cron_timezone, tick)


def _name(key: dg.AssetKey) -> str:
    return key.to_user_string()


def _run_text(run_id: str) -> str:
    return run_id if " " in run_id else f"run {run_id[:8]}"


def _units_text(units: Sequence[str]) -> str:
    named = [unit for unit in units if unit != WHOLE]
    if not named:
        return ""
    more = f" and {len(named) - 1} more" if len(named) > 1 else ""
    return f" ({named[0]}{more})"
