"""The built-in automation conditions, as one node that Dagster's daemon evaluates.

Dagster composes conditions of operators, some forty nodes for each asset, whose states and hashes
make most of an evaluation's cost, and which lose an update that comes while a run is under way
(dagster #33587, #24650, #34067). One node that remembers the causes of an asset needs a tenth.

The daemon and the webserver read conditions from what code locations send them, so they have to
know this class: the launcher that `dagster.yaml` names imports it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.declarative_automation.automation_condition import (
    AutomationResult,
    BuiltinAutomationCondition,
)
from dagster._core.definitions.declarative_automation.serialized_objects import (
    AssetSubsetWithMetadata,
)
from dagster_shared.record import record
from dagster_shared.serdes import whitelist_for_serdes

from factories.core.conditions.causes import CauseFinder
from factories.core.conditions.holds import HoldFinder
from factories.core.conditions.memory import WHOLE, Asked, Memory
from factories.core.conditions.rule import AutomationRule
from factories.core.conditions.tick_facts import TickFacts, facts_of
from factories.core.conditions.times import moment_text, next_tick
from factories.core.conditions.unit_facts import Subset

if TYPE_CHECKING:
    from dagster._core.definitions.declarative_automation.automation_context import (
        AutomationContext,
    )

WHY = "why"
RUN = "Run: "


@whitelist_for_serdes(storage_name="FactoriesReason")
@record
class Reason(BuiltinAutomationCondition[dg.AssetKey]):
    """A line of an evaluation that says why, in words; the UI shows it below the condition."""

    text: str

    @property
    def name(self) -> str:
        """The line."""
        return self.text

    @property
    def description(self) -> str:
        """The line: the UI shows it for an asset without partitions, and the name for others."""
        return self.text

    @property
    def requires_cursor(self) -> bool:
        """It remembers nothing."""
        return False

    def evaluate(self, context: AutomationContext[dg.AssetKey]) -> AutomationResult[dg.AssetKey]:
        """Hold for what it is asked about."""
        return AutomationResult(context, context.candidate_subset)


@whitelist_for_serdes(storage_name="FactoriesRuleCondition")
@record
class RuleCondition(BuiltinAutomationCondition[dg.AssetKey]):
    """A built-in automation condition.

    Attributes:
        rule: What it was told.
    """

    rule: AutomationRule

    @property
    def name(self) -> str:
        """The condition's name in YAML."""
        return self.rule.name

    @property
    def description(self) -> str:
        """The rule in words."""
        return self.rule.off or self.rule.description

    def evaluate(self, context: AutomationContext[dg.AssetKey]) -> AutomationResult[dg.AssetKey]:
        """Return what of the asset has to run now, with the reasons."""
        if self.rule.off:
            return _result(context, Memory(0, 0, 0.0), {}, {self.rule.off: [WHOLE]})
        facts = facts_of(context.asset_graph_view)
        return _Evaluation(self.rule, facts, context).run()


class _Evaluation:
    def __init__(
        self, rule: AutomationRule, facts: TickFacts, context: AutomationContext[dg.AssetKey]
    ) -> None:
        self._rule = rule
        self._facts = facts
        self._context = context
        self._key = context.key
        ignored = set(rule.ignore)
        self._parents = [
            parent for parent in facts.parents(self._key) if parent.to_user_string() not in ignored
        ]

    def run(self) -> AutomationResult[dg.AssetKey]:
        finder = CauseFinder(self._rule, self._facts, self._key, self._parents)
        if self._context.cursor is None:
            memory = finder.begin()
        else:
            memory = Memory.load(self._context.cursor)
            finder.update(memory)
        requested = {
            parent: subset
            for parent in self._parents
            if (subset := self._context.request_subsets_by_key.get(parent)) is not None
        }
        if requested:
            finder.find_requested_upstream(memory, requested)
        if not memory.causes:
            return _result(self._context, memory, {}, self._idle(memory))
        holds = HoldFinder(
            self._rule, self._facts, self._key, self._parents, requested, unmade=memory.unmade
        )
        memory.unmade = holds.unmade
        ready: dict[str, list[str]] = {}
        waiting: dict[str, list[str]] = {}
        allowed = self._allowed()
        for unit, cause in sorted(memory.causes.items()):
            cause = holds.with_waits(unit, cause)  # noqa: PLW2901 - the same one, that knows more
            memory.causes[unit] = cause
            hold = holds.find(unit, cause)
            if hold is None and allowed is not None and unit not in allowed:
                continue
            if hold is None:
                ready.setdefault(f"{RUN}{cause.text}", []).append(unit)
                continue
            text = f"Waiting: {hold.text}; to run because {cause.text}"
            waiting.setdefault(text, []).append(unit)
            if hold.soon:
                self._facts.expected.setdefault(self._key, cause.since)
            elif cause.joined and cause.attempt == 1:
                del memory.causes[unit]  # its upstream asset runs without it: that will update it
        if ready:
            self._ask(memory, [unit for units in ready.values() for unit in units])
        return _result(self._context, memory, ready, waiting)

    def _allowed(self) -> set[str] | None:
        """The units that the condition may ask for: a company's own may combine it with others."""
        candidates = self._context.candidate_subset
        if self._context.parent_context is None:
            return None
        return set(self._facts.units(candidates))

    def _ask(self, memory: Memory, units: Sequence[str]) -> None:
        before = self._facts.attempts(self._key)
        for unit in units:
            memory.asked[unit] = Asked(
                memory.causes.pop(unit),
                self._facts.now,
                self._facts.last_event_of(self._key),
                before[unit].run_id if unit in before else "",
            )

    def _idle(self, memory: Memory) -> dict[str, list[str]]:
        if memory.gave_up:
            found: dict[str, list[str]] = {}
            for unit, text in memory.gave_up.items():
                found.setdefault(f"Given up until the next cause: {text}", []).append(unit)
            return found
        if memory.asked:
            return {"Asked for; its result has not come yet": list(memory.asked)}
        if not self._rule.schedule:
            return {f"Nothing to do: {self._what_changed()}": [WHOLE]}
        rule = self._rule
        tick = next_tick(rule.cron_schedule, rule.cron_timezone, self._facts.now)
        text = moment_text(tick, rule.cron_timezone)
        return {f"Nothing to do: the cron ticks next at {text}": [WHOLE]}

    def _what_changed(self) -> str:
        same = self._facts.updated_with_same_data(self._key, self._parents)
        if not same:
            return "no upstream asset has changed"
        was, its = ("was", "its") if len(same) == 1 else ("were", "their")
        return f"{', '.join(same)} {was} updated, but {its} data are the same"


def _result(
    context: AutomationContext[dg.AssetKey],
    memory: Memory,
    ready: dict[str, list[str]],
    waiting: dict[str, list[str]],
) -> AutomationResult[dg.AssetKey]:
    facts = facts_of(context.asset_graph_view)
    subset = facts.subset(context.key, (unit for units in ready.values() for unit in units))
    lines = [*((text, units, True) for text, units in ready.items())]
    lines += [(text, units, False) for text, units in waiting.items()]
    children, reasons = [], []
    for index, (text, units, met) in enumerate(lines):
        of_units = _subset_of(facts, context, units)
        child = context.for_child_condition(
            Reason(text=text), child_indices=[index], candidate_subset=of_units
        )
        met_subset = of_units if met else context.get_empty_subset()
        children.append(AutomationResult(child, met_subset))
        metadata = {WHY: dg.MetadataValue.text(text)}
        reasons.append(AssetSubsetWithMetadata(of_units.convert_to_serializable_subset(), metadata))
    return AutomationResult(
        context,
        subset,
        cursor=memory.dump(),
        child_results=children,
        subsets_with_metadata=reasons,
    )


def _subset_of(
    facts: TickFacts, context: AutomationContext[dg.AssetKey], units: Iterable[str]
) -> Subset:
    units = list(units)
    if units == [WHOLE]:
        return facts.view.get_full_subset(key=context.key)
    return facts.subset(context.key, units)
