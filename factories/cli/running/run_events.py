"""What the events of a run say of the assets that it makes: each asset has its own step's error."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from factories.cli.running.plan import Launchable, failures
from factories.cli.running.progress import AssetProgress
from factories.cli.serving.api import RunPage
from factories.core.conditions.run_outcome import FAILED_ASSETS

# What Dagster logs of a run whose process was killed, before it only says that the run has failed.
LOST = re.compile(r"\[DagsterApiServer\] (Run execution process for .*)")
FAILURE = "dagster._core.definitions.events.Failure: "
MAPPING_KEY = re.compile(r"\[[^\]]*\]")  # of a dynamic step, such as `load[a]` or `graph.load[a]`


@dataclass
class _StepError:
    """Why a step failed when it was last tried.

    Attributes:
        text: The error.
        reasons: Why single assets failed, where the step says it.
        attempts: How often it was tried.
    """

    text: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0

    def describe(self, key: str) -> str:
        """Return what is told of one asset."""
        tried = f" (the last of {self.attempts} attempts)" if self.attempts > 1 else ""
        return self.reasons.get(key, self.text) + tried


class RunEvents:
    """Follows one run by its events, and notes how far its assets are."""

    def __init__(
        self,
        launchable: Launchable,
        progress: Mapping[str, AssetProgress],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take what the run makes.

        Args:
            launchable: The assets.
            progress: Of all assets, by their keys.
            say: Told what was materialized.
        """
        self._launchable = launchable
        self._assets = launchable.assets
        self._progress = progress
        self._say = say
        self._planned: defaultdict[str, set[str]] = defaultdict(set)  # assets, by step
        self._checks: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)  # checks, by step
        self._evaluated: dict[tuple[str, str], str] = {}  # why a check failed; empty if it passed
        self._materialized: set[str] = set()
        self._started: set[str] = set()
        self._errors: defaultdict[str, _StepError] = defaultdict(_StepError)
        self._run_error = ""
        self._lost = ""  # that the run's process was killed
        self.message = ""

    def take(self, page: RunPage) -> None:
        """Take the run's new events."""
        for event in page.events:
            self._take(event["__typename"], event.get("stepKey") or "", event)

    def repeat(self, run_id: str) -> RunEvents:
        """Return what follows the run that Dagster repeats this one with, from where it failed."""
        again = RunEvents(self._launchable, self._progress, self._say)
        again._evaluated = dict(self._evaluated)  # a check that is not repeated stays as it was
        for asset in self._assets:
            if self._progress[asset.key].status != "materialized":
                self._progress[asset.key].mark_queued(run_id)
        return again

    def note_ended(self, run_status: str) -> None:
        """Note how the run's assets have ended, and why.

        An asset has the error of its own step. What something failed upstream of was skipped. What
        has no step that failed has the error of the run.

        Args:
            run_status: Dagster's.
        """
        for asset in self._assets:
            self._progress[asset.key].mark_ended(run_status)
        unnamed: dict[str, str] = {}
        for step, error in self._errors.items():
            unnamed |= self._note_error(step, error)
        for (key, name), why in self._evaluated.items():
            if why and (progress := self._progress.get(key)):
                progress.add_error(f"check {name}: {why}")
        self._note_skipped()
        assets = [self._progress[asset.key] for asset in self._assets]
        without = [each for each in assets if each.status in {"failed", "canceled"}]
        if run_status != "SUCCESS" and all(each.ok for each in assets):
            without = assets  # what failed is a step of none of them, or the run itself
        for each in without:
            if not each.error:
                each.error = unnamed.get(each.asset) or self._run_error or None

    def _take(self, kind: str, step: str, event: Mapping[str, Any]) -> None:
        match kind:
            case "AssetMaterializationPlannedEvent" | "AssetCheckEvaluationPlannedEvent":
                self._take_planned(step, event)
            case "ExecutionStepStartEvent":
                self._take_start(step)
            case "MaterializationEvent":
                self._take_materialization(event)
            case "AssetCheckEvaluationEvent":
                self._take_check(event["evaluation"])
            case "ExecutionStepFailureEvent" | "ExecutionStepUpForRetryEvent":
                self._take_error(step, event)
            case "ExecutionStepSuccessEvent":
                self._errors.pop(step, None)  # of an earlier attempt
            case "EngineEvent" | "RunFailureEvent" | "RunCanceledEvent":
                self._take_event_of_run(kind, event)
            case "LogMessageEvent":
                self.message = event["message"]

    def _take_event_of_run(self, kind: str, event: Mapping[str, Any]) -> None:
        if kind == "EngineEvent":
            lost = LOST.fullmatch(event["message"])
            self._lost = lost[1] if lost else self._lost
        else:
            texts = (self._lost or event["message"], _describe(event.get("error")))
            self._run_error = "\n".join(text for text in texts if text)

    def _take_planned(self, step: str, event: Mapping[str, Any]) -> None:
        if "checkName" in event:
            self._checks[step].add((_key(event, "checked"), event["checkName"]))
        else:
            self._planned[step].add(_key(event))

    def _take_start(self, step: str) -> None:
        self._started.add(step)
        for key in self._assets_of(step):
            if self._progress[key].status == "queued":
                self._progress[key].status = "running"

    def _take_error(self, step: str, event: Mapping[str, Any]) -> None:
        error = self._errors[step]
        error.text = _describe(event.get("error")) or event["message"]
        error.reasons = _reasons(event.get("failureMetadata"))
        error.attempts += 1

    def _take_materialization(self, event: Mapping[str, Any]) -> None:
        progress = self._progress.get(_key(event))
        if progress and progress.asset not in self._materialized:
            self._materialized.add(progress.asset)
            progress.mark_materialized(_metadata(event["metadataEntries"]))
            self._say(f"materialized {progress.asset}")

    def _take_check(self, evaluation: Mapping[str, Any]) -> None:
        key, name = _key(evaluation), evaluation["checkName"]
        passed, why = evaluation["success"], evaluation["description"] or ""
        self._evaluated[key, name] = "" if passed else why
        if progress := self._progress.get(key):
            progress.note_check(name, passed, warns=evaluation["severity"] == "WARN")

    def _assets_of(self, step: str) -> set[str]:
        """Return the assets that a step makes, alone or as an op of their graph."""
        op = MAPPING_KEY.sub("", step)
        made = self._planned[step] | {asset.key for asset in self._assets if op in asset.ops}
        return made & {asset.key for asset in self._assets}

    def _note_error(self, step: str, error: _StepError) -> dict[str, str]:
        """Note a step's error for the assets that it is about.

        Returns:
            What to tell of those of its assets that it does not name, and that are not
            materialized, unless something upstream of them failed.
        """
        made = self._assets_of(step)
        if not made:
            self._note_check_error(step, error)
            return {}
        left = {key for key in made if self._progress[key].status != "materialized"}
        named = made & error.reasons.keys()
        if not left | named:  # all were materialized before the step failed
            for key in made:
                self._progress[key].status = "failed"
        for key in named or left or made:
            self._progress[key].add_error(error.describe(key))
        return {key: error.describe(key) for key in left - named}

    def _note_check_error(self, step: str, error: _StepError) -> None:
        """Note the error of a step that runs checks alone, or that no asset is known of."""
        for key, name in sorted(self._checks[step] - self._evaluated.keys()):
            self._evaluated[key, name] = error.describe("")
            if progress := self._progress.get(key):
                progress.note_check(name, passed=False)
        if not self._checks[step]:
            self._run_error = f"the step {step} failed: {error.describe('')}"

    def _note_skipped(self) -> None:
        """Note what Dagster did not start: below an asset that failed, or whose step failed."""
        failed = failures(self._assets, self._progress)
        below = failed | {key for step in self._errors for key in self._assets_of(step)}
        for asset in self._assets:  # each after those that it depends on
            progress = self._progress[asset.key]
            if progress.status != "failed" or progress.error:
                continue
            upstream = below & set(asset.deps) - {asset.key}
            if not upstream:
                continue
            if upstream & failed:
                progress.mark_skipped(min(upstream & failed))
            elif not self._has_started(asset.key):
                progress.status = "skipped"
                progress.error = f"skipped, because the step of {min(upstream)} failed"
            below.add(asset.key)

    def _has_started(self, key: str) -> bool:
        return any(key in self._assets_of(step) for step in self._started)


def _key(event: Mapping[str, Any], name: str = "assetKey") -> str:
    return "/".join(event[name]["path"])


def _metadata(entries: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {e["label"]: e.get("intValue", e.get("floatValue")) for e in entries}


def _describe(error: Mapping[str, Any] | None) -> str:
    if not error:
        return ""
    messages = [error["message"], *(cause["message"] for cause in error.get("causes") or ())]
    return "\n".join(message.strip().removeprefix(FAILURE) for message in messages)


def _reasons(metadata: Mapping[str, Any] | None) -> Mapping[str, str]:
    """Return why single assets failed, by their keys, when the step's failure says it."""
    for entry in (metadata or {}).get("metadataEntries", ()):
        if entry["label"] == FAILED_ASSETS and "jsonString" in entry:
            found = json.loads(entry["jsonString"])
            return {str(key): str(why) for key, why in found.items()}
    return {}
