"""What a built-in automation condition was told in YAML."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_shared.record import record
from dagster_shared.serdes import whitelist_for_serdes

CRON_NO_DEPS = "on_cron_no_deps"
CRON_WITH_DEPS = "on_cron_with_deps"
UPSTREAM_CHANGE = "on_upstream_change"
TICK, MIDNIGHT = "tick", "midnight"
LATEST, ALL = "latest", "all"


@whitelist_for_serdes(storage_name="FactoriesAutomationRule")
@record
class AutomationRule:
    """When an asset is to run by itself.

    Attributes:
        name: The condition's name in YAML.
        cron_schedule: When the cron ticks; empty where there is none.
        cron_timezone: Time zone of the schedule.
        ignore: Upstream asset keys that do not count.
        deps_since: What an upstream asset must have been updated since: `tick`, `midnight` of the
            tick's day, or the last tick of another cron.
        catch_up: Of the time partitions that are due: `latest`, `all`, or the number of the last.
        debounce: Seconds to wait after the first change for what else changes.
        tries: Further tries after a failure.
        retry_delay: Seconds to wait before each.
        off: Why the condition never asks for anything here; empty when it does.
    """

    name: str
    cron_schedule: str = ""
    cron_timezone: str = "UTC"
    ignore: Sequence[str] = ()
    deps_since: str = TICK
    catch_up: str = LATEST
    debounce: float = 0.0
    tries: int = 3
    retry_delay: float = 300.0
    off: str = ""

    @property
    def schedule(self) -> str:
        """The cron and its time zone as one text, to tell that they have changed."""
        return f"{self.cron_schedule} {self.cron_timezone}" if self.cron_schedule else ""

    @property
    def title(self) -> str:
        """The name with the cron, as the UI shows it."""
        cron = f"({self.cron_schedule}, {self.cron_timezone})" if self.cron_schedule else ""
        return f"{self.name}{cron}{', off here' if self.off else ''}"

    @property
    def description(self) -> str:
        """The rule in words."""
        cron = f"cron {self.cron_schedule} {self.cron_timezone}"
        return {
            CRON_NO_DEPS: f"At each tick of {cron}, whatever its upstream assets do",
            CRON_WITH_DEPS: f"At each tick of {cron}, once all its upstream assets were updated",
            UPSTREAM_CHANGE: "When an upstream asset was updated",
        }[self.name]


def condition_name(label: str) -> str:
    """Return the name of the built-in condition whose title a label is; others as they are."""
    name = label.partition(", off here")[0].partition("(")[0]
    return name if name in (CRON_NO_DEPS, CRON_WITH_DEPS, UPSTREAM_CHANGE) else label
