"""Finds why units of an asset have to run: ticks, updates, failures, and what was never made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import dagster as dg
from dagster._core.storage.dagster_run import DagsterRunStatus

from factories.core.conditions.memory import WHOLE, Asked, Cause, Memory
from factories.core.conditions.rule import ALL, LATEST, UPSTREAM_CHANGE, AutomationRule
from factories.core.conditions.run_facts import BACKFILL, Attempt, Update
from factories.core.conditions.tick_facts import TickFacts
from factories.core.conditions.times import last_tick, moment_text
from factories.core.conditions.unit_facts import Key, Subset

# A run that was asked for is there at the next evaluation; after this long it will not come.
NEVER_CAME = 600.0


class CauseFinder:
    """Finds the causes of one asset, and puts them into its memory."""

    def __init__(
        self, rule: AutomationRule, facts: TickFacts, key: Key, parents: list[dg.AssetKey]
    ) -> None:
        """Take the rule, the facts of the evaluation, the asset and the assets that count."""
        self._rule = rule
        self._facts = facts
        self._key = key
        self._parents = parents

    def begin(self) -> Memory:
        """Return the memory of an asset that was never evaluated.

        What failed before, and ticks that are past, are no causes: a new deployment would run all
        of it at once.
        """
        memory = Memory(
            self._facts.last_event, self._facts.last_event_of(self._key), self._facts.now
        )
        last = self._facts.last_run_id(self._key)
        memory.settled = "" if self._facts.is_open(last) else last
        self._begin_schedule(memory)
        if self._rule.name == UPSTREAM_CHANGE and self._facts.latest(self._key) is None:
            self._add(memory, self._due_units(0.0), "it was never made")
        return memory

    def _begin_schedule(self, memory: Memory) -> None:
        memory.schedule = self._rule.schedule
        memory.tick = self._facts.now if memory.schedule else 0.0
        memory.causes = {u: cause for u, cause in memory.causes.items() if cause.tick is None}

    def update(self, memory: Memory) -> None:
        """Put what is new since the last evaluation into the memory."""
        self._drop_partitions_that_are_gone(memory)
        self._settle(memory)
        if memory.schedule != self._rule.schedule:
            self._begin_schedule(memory)
        if self._rule.schedule:
            self._find_tick(memory)
        if self._rule.name == UPSTREAM_CHANGE:
            self._find_updates(memory)
        self._drop_what_was_met(memory)
        memory.event = self._facts.last_event
        memory.own = self._facts.last_event_of(self._key)
        memory.seen = self._facts.now

    def _add(
        self,
        memory: Memory,
        units: Iterable[str],
        text: str,
        tick: float | None = None,
        *,
        joined: bool = False,
    ) -> None:
        for unit in units:
            memory.gave_up.pop(unit, None)
            before = memory.causes.get(unit)
            if before is not None and tick is None and before.attempt == 1:
                continue  # one run meets both; the first one's time counts
            memory.causes[unit] = Cause(
                text,
                self._facts.now,
                memory.event,
                memory.own,
                seen=memory.seen,
                tick=tick,
                joined=joined,
            )

    def _drop_partitions_that_are_gone(self, memory: Memory) -> None:
        for units in (memory.causes, memory.asked, memory.gave_up):
            for unit in [unit for unit in units if not self._facts.exists(self._key, unit)]:
                del units[unit]

    # what has become of runs

    def _settle(self, memory: Memory) -> None:
        """Take the results of runs into account: of those asked for, and of anybody's."""
        facts = self._facts
        last = facts.last_run_id(self._key)
        if last == memory.settled and not memory.asked and not memory.under_way:
            return
        attempts = {
            unit: attempt
            for unit, attempt in facts.attempts(self._key).items()
            if unit in memory.asked
            or (self._is_news(memory, attempt, last) and facts.exists(self._key, unit))
        }
        facts.read_runs({attempt.run_id for attempt in attempts.values()})
        under_way = set()
        for unit in sorted({*attempts, *memory.asked}):
            attempt, asked = attempts.get(unit), memory.asked.get(unit)
            if attempt and (facts.is_open(attempt.run_id) or attempt.event > facts.last_event):
                under_way.add(attempt.run_id)
            elif attempt and (asked is None or attempt.run_id != asked.run_before):
                self._take_result(memory, unit, attempt.run_id)
            elif asked:
                self._look_for_run(memory, unit)
        memory.under_way = sorted(under_way)
        if last not in under_way:
            memory.settled = last

    def _is_news(self, memory: Memory, attempt: Attempt, last: str) -> bool:
        """Tell whether the result of an attempt has not been taken into account yet."""
        run_id = attempt.run_id
        if run_id in self._facts.open_runs or run_id in memory.under_way:
            return True
        return attempt.event > memory.event or (run_id == last and run_id != memory.settled)

    def _take_result(self, memory: Memory, unit: str, run_id: str) -> None:
        asked = memory.asked.pop(unit, None)
        run = self._facts.run(run_id)
        if run is None or run.dagster_run.status is DagsterRunStatus.SUCCESS:
            return  # an op may leave out its output: then there is nothing to wait for
        if run.dagster_run.is_failure_or_canceled and unit in memory.causes:
            return  # a newer cause starts anew
        if self._facts.was_held_in_run(self._key, run_id):
            if asked and not asked.cause.joined:
                memory.causes[unit] = replace(asked.cause, waits=None)
            elif self._rule.name == UPSTREAM_CHANGE:
                self._find_updates_of(memory, unit)
            return
        permanent = self._facts.is_permanent(run_id, self._key)
        self._try_again(memory, unit, asked, permanent=permanent)

    def _try_again(
        self, memory: Memory, unit: str, asked: Asked | None, *, permanent: bool = False
    ) -> None:
        cause = (
            asked.cause
            if asked
            else Cause("", self._facts.now, memory.event, memory.own, memory.seen)
        )
        if permanent:
            memory.gave_up[unit] = "it failed, and trying again cannot mend that"
        elif cause.attempt > self._rule.tries:
            memory.gave_up[unit] = f"it failed {cause.attempt} times"
        else:
            first = cause.text.partition(AGAIN)[0] or "a run by hand"
            memory.causes[unit] = replace(
                cause,
                text=f"{first}{AGAIN}try {cause.attempt + 1} of {self._rule.tries + 1}",
                due=self._facts.now + self._rule.retry_delay,
                attempt=cause.attempt + 1,
                waits=None,
            )

    def _look_for_run(self, memory: Memory, unit: str) -> None:
        asked = memory.asked[unit]
        made = self._facts.latest(self._key, unit)
        if made is not None and made.event > asked.own:
            del memory.asked[unit]
        elif self._facts.open_run(self._key, unit) == BACKFILL:
            return
        elif self._facts.now >= asked.at + NEVER_CAME:
            del memory.asked[unit]
            self._try_again(memory, unit, asked)

    # new causes

    def _find_tick(self, memory: Memory) -> None:
        rule = self._rule
        tick = last_tick(rule.cron_schedule, rule.cron_timezone, self._facts.now)
        if tick <= memory.tick:
            return
        units = self._due_units(memory.tick)
        memory.tick = tick
        text = f"the cron ticked at {moment_text(tick, rule.cron_timezone)}"
        self._add(memory, units, text, tick)

    def _find_updates(self, memory: Memory) -> None:
        for parent in self._parents:
            units = list(self._facts.updated_units(parent, self._key, memory.event))
            if not units:
                continue
            latest = self._facts.latest(parent)
            text = f"{parent.to_user_string()} was updated"
            if units == [WHOLE] and latest:
                if self._facts.has_seen(self._facts.latest(self._key), parent, latest):
                    continue
                if latest.run_id and latest.run_id == self._facts.last_run_id(self._key):
                    continue  # one run makes both: its result decides
            elif self._facts.graph.get(parent).partitions_def is None:
                due = self._due_units(memory.seen)  # of all that it reaches, what is due
                units = [u for u in due if not self._is_of_same_data(u, parent)]
            else:
                units = [u for u in units if not self._is_newer(u, parent)]
            self._add(memory, units, text)

    def _find_updates_of(self, memory: Memory, unit: str) -> None:
        """Add the updates that a unit has missed, in a run that left it out."""
        for parent in self._parents:
            if not self._is_newer_whole(unit, parent):
                self._add(memory, [unit], f"{parent.to_user_string()} was updated")

    def _is_newer(self, unit: str, parent: dg.AssetKey) -> bool:
        """Tell whether a partition was made of what its upstream partitions are now."""
        made = self._facts.latest(self._key, unit)
        if made is None:
            return False
        sources = self._facts.upstream_units(self._key, unit, parent)
        if self._facts.was_made_of_same_data(made, parent, sources):
            return True
        latest = [self._facts.latest(parent, source) for source in sources]
        return all(self._facts.has_seen(made, parent, update) for update in latest if update)

    def _is_of_same_data(self, unit: str, parent: dg.AssetKey) -> bool:
        """Tell whether a unit was made of the data that its upstream units have now."""
        made = self._facts.latest(self._key, unit)
        sources = self._facts.upstream_units(self._key, unit, parent)
        return made is not None and self._facts.was_made_of_same_data(made, parent, sources)

    def find_requested_upstream(self, memory: Memory, requested: dict[dg.AssetKey, Subset]) -> None:
        """Add the units whose upstream units this evaluation asks for in the same run."""
        if self._rule.name != UPSTREAM_CHANGE:
            return
        for parent in self._parents:
            units = self._facts.requested_together(parent, self._key, requested.get(parent))
            if units:
                reached = requested[parent].compute_mapped_subset(self._key, direction="down")
                text = f"{parent.to_user_string()} runs in the same run"
                self._add(memory, self._facts.units(reached), text, joined=True)

    def _due_units(self, after: float) -> list[str]:
        """Return the units that a tick, or a change of all of them, asks for.

        Args:
            after: Of time partitions, those that ended later than that may have to be caught up.
        """
        facts, key, rule = self._facts, self._key, self._rule
        partitions = facts.graph.get(key).partitions_def
        if partitions is None or isinstance(key, dg.AssetCheckKey):
            return [WHOLE]
        latest = list(facts.units(facts.view.compute_latest_time_window_subset(key)))
        if rule.catch_up == LATEST or not isinstance(partitions, dg.TimeWindowPartitionsDefinition):
            return latest
        ended = [
            unit
            for unit in partitions.get_partition_keys()
            if partitions.time_window_for_partition_key(unit).end.timestamp() > after
        ]
        late = facts.missing_units(key, ended)
        units = sorted({*late, *latest}, key=ended.index) if ended else latest
        return units if rule.catch_up == ALL else units[-int(rule.catch_up) :]

    def _drop_what_was_met(self, memory: Memory) -> None:
        """Forget the causes, and the failures, that somebody's run has met since."""
        for unit in list(memory.gave_up):
            made = self._facts.latest(self._key, unit)
            if made is not None and made.event > memory.own:
                del memory.gave_up[unit]
        for unit, cause in list(memory.causes.items()):
            made = self._facts.latest(self._key, unit)
            if made is None or made.event <= cause.own:
                continue
            if self._is_met(unit, cause, made):
                del memory.causes[unit]

    def _is_met(self, unit: str, cause: Cause, made: Update) -> bool:
        if cause.tick is not None:
            run = self._facts.run(made.run_id) if made.run_id else None
            started = run.start_time if run else made.timestamp
            return started is not None and cause.tick <= started <= self._facts.now
        if cause.attempt > 1:
            return True
        return all(self._is_newer_whole(unit, parent) for parent in self._parents)

    def _is_newer_whole(self, unit: str, parent: dg.AssetKey) -> bool:
        if unit != WHOLE:
            return self._is_newer(unit, parent)
        latest = self._facts.latest(parent)
        made = self._facts.latest(self._key)
        return latest is None or self._facts.has_seen(made, parent, latest)


AGAIN = ", after a failure: "
