"""What one step runs with dbt: which nodes and tests, and what failed of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from factories.core.execution.failures import build_step_failure
from factories.core.execution.subprocesses import describe_end
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.diagnostics.ignored_settings import harmless_warnings
from factories.dbt.execution.events import NodeResult
from factories.dbt.execution.process import MODEL_ERROR, DbtProcess
from factories.dbt.execution.selection import commands, read_functions, selection_arguments
from factories.dbt.prepare import parse_warnings
from factories.dbt.project.project import DbtProject

SKIPPED = "skipped"
NOT_RUN = "dbt did not run it"


@dataclass
class DbtInvocations:
    """One step's builds and tests.

    Attributes:
        context: Dagster's.
        project: The dbt project.
        settings: How to reach the warehouse.
        arguments: What every dbt process of the step gets.
        folder: Where dbt writes its artifacts.
        failed: Why each node or test failed when it was last run, by unique id; `SKIPPED` and
            `NOT_RUN` for those that were not tried.
        failed_before: Unique ids of what has failed at any of the step's tries.
        other_errors: What else failed when dbt last ran: a hook, an ephemeral model, dbt itself.
    """

    context: Any
    project: DbtProject
    settings: WarehouseSettings
    arguments: Sequence[str]
    folder: Path
    failed: dict[str, str] = field(default_factory=dict)
    failed_before: set[str] = field(default_factory=set)
    other_errors: list[str] = field(default_factory=list)

    def run(self, pending: set[str]) -> Iterator[NodeResult]:
        """Run nodes and tests; what fails goes to `failed`.

        Args:
            pending: Their unique ids. Each is named to dbt, also where they are the whole project:
                otherwise the project's default selector would choose.

        Raises:
            dagster.Failure: When dbt refuses the project or its configuration.
        """
        self.other_errors.clear()
        self.failed_before |= self.failed.keys()
        for unique_id in pending:
            self.failed.pop(unique_id, None)
        for command, unique_ids in commands(self.project.manifest, pending):
            yield from self._run(command, unique_ids)

    def _run(self, command: str, expected: set[str]) -> Iterator[NodeResult]:
        dbt = DbtProcess(
            self.context, self.project.folder, self.settings, self.arguments, self.folder
        )
        ended: set[str] = set()
        failed: dict[str, str] = {}
        functions = read_functions(self.project.manifest, expected)
        for result in dbt.run(command, selection_arguments(self.folder, expected | functions)):
            ended.add(result.unique_id)
            if result.outcome not in {"success", "warn"}:
                failed[result.unique_id] = result.outcome
            yield result
        reasons = {uid: dbt.mask(_reason(texts)) for uid, texts in dbt.log.messages.items()}
        self.failed.update({uid: reasons.get(uid, why) for uid, why in failed.items()})
        if dbt.status:
            # dbt reports no result of a hook or an ephemeral model, only its error.
            errors = [f"{_title(uid)}: {why}" for uid, why in reasons.items() if uid not in ended]
            if dbt.status != MODEL_ERROR or not (errors or failed):
                ends = describe_end("dbt", dbt.status)
                errors.append(dbt.mask("\n".join(dbt.log.errors) or ends))
            self.other_errors.extend(errors)
            if not dbt.log.has_parsed:
                raise dg.Failure("\n".join(errors), allow_retries=False)
        self.failed.update(dict.fromkeys(expected - ended, NOT_RUN))

    def raise_failures(self) -> None:
        """End the step when something has failed.

        Raises:
            dagster.Failure: It names each node and test.
        """
        if self.failed or self.other_errors:
            raise build_step_failure(self._report(), self._reasons())

    def raise_not_run(self) -> None:
        """End the step when something could not be run; failed tests are results of checks.

        Raises:
            dagster.Failure: It names each test.
        """
        if self.other_errors or NOT_RUN in self.failed.values():
            raise build_step_failure(self._report(), self._reasons())

    def _report(self) -> str:
        """Return what failed, and why, as one message."""
        skipped = [uid for uid, why in self.failed.items() if why == SKIPPED]
        not_run = [uid for uid, why in self.failed.items() if why == NOT_RUN]
        failed = {u: w for u, w in self.failed.items() if w not in {SKIPPED, NOT_RUN}}
        counts = [f"{len(failed)} failed", f"{len(skipped)} skipped"]
        counts += [f"{len(not_run)} not run"] if not_run else []
        lines = [*self.other_errors, f"{', '.join(counts)}; the rest is built."]
        lines += [f"{_title(uid)}: {why}" for uid, why in failed.items()]
        if skipped:
            lines.append(f"skipped: {', '.join(_names(skipped))}")
        if not_run:
            lines.append(f"dbt did not run: {', '.join(_names(not_run))}")
            if not self.other_errors:
                lines.append(
                    "Is the manifest older than the project's files? `make setup` makes it."
                )
        return "\n".join(lines)

    def _reasons(self) -> dict[dg.AssetKey, str]:
        """Return why each asset failed: its node, and the tests that are about it."""
        reasons: defaultdict[dg.AssetKey, list[str]] = defaultdict(list)
        for uid, why in self.failed.items():
            test = self.project.manifest.tests.get(uid)
            key = self.project.keys.get(test.subject if test else uid)
            if key and why not in {SKIPPED, NOT_RUN}:  # else the report is its reason
                reasons[key].append(f"{_title(uid)}: {why}")
        return {key: "\n".join(said) for key, said in reasons.items()}

    def failed_names(self, among: Container[str]) -> list[str]:
        """Return the names of what failed or was not run, of some nodes and tests."""
        return _names(uid for uid in self.failed if uid in among)


def log_parse_warnings(context: Any, project: DbtProject) -> None:
    """Tell what dbt warned of when it made the manifest: the process of a run parses nothing."""
    for text in harmless_warnings(parse_warnings(project.folder)):
        context.log.warning(text)


def _title(unique_id: str) -> str:
    """Return what a node is called in a message: `model orders`, `unit test rules.doubles`."""
    kind, name = _kind_and_name(unique_id)
    return f"{'hook' if kind == 'operation' else kind} {name}"


def _kind_and_name(unique_id: str) -> tuple[str, str]:
    kind, _, *name = unique_id.split(".")
    if kind == "test" and len(name) > 1:
        name.pop()  # a digest
    return kind.replace("_", " "), ".".join(name)


def _reason(messages: Sequence[str]) -> str:
    """Return why a node failed, without dbt's heading and the path of a file that is deleted."""
    texts = [text for text in messages if not text.startswith("Failure in ")] or messages
    lines = "\n".join(texts).splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith("compiled code at "))


def _names(unique_ids: Iterable[str]) -> list[str]:
    return [_kind_and_name(uid)[1] for uid in unique_ids]
