"""What a step runs again, as `retries` say, and what dbt skips because of failures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import count

import dagster as dg

from factories.core.execution.step import wait_before_retry
from factories.core.meta.retries import RetrySpec, max_retries
from factories.dbt.execution.events import NodeResult
from factories.dbt.execution.invocation import SKIPPED, DbtInvocations
from factories.dbt.project.manifest import Manifest


def build_with_retries(dbt: DbtInvocations, pending: set[str]) -> Iterator[NodeResult]:
    """Run nodes and tests; run dbt again for what failed, as the `retries` of each node say.

    A test may be tried as often as the node that it is about. What dbt skipped because of a
    failure is built together with what failed; below what has failed for good it stays skipped.

    Yields:
        One result for each: Dagster accepts only one result of a check, and fails the step for
        each failure that is yielded, whatever follows. So a failure is yielded when it is final.

    Raises:
        dagster.Failure: When dbt refuses the project or its configuration.
    """
    retried: Counter[str] = Counter()
    failures: dict[str, NodeResult] = {}
    for attempt in count(1):
        try:
            for result in dbt.run(pending):
                if result.outcome == "failed" and _may_retry(dbt, retried, result.unique_id):
                    failures[result.unique_id] = result
                    continue
                if result.outcome != SKIPPED:
                    failures.pop(result.unique_id, None)
                yield result
        except dg.Failure:
            yield from failures.values()
            raise
        again = _to_retry(dbt, retried)
        retried.update(again)
        pending = again | _skipped_because_of(dbt, again)
        if not again:
            break
        retries = [_retries(dbt, uid) for uid in again]
        wait_before_retry(dbt.context.log, retries, dbt.failed_names(pending), attempt)
    yield from failures.values()


def _retries(dbt: DbtInvocations, unique_id: str) -> RetrySpec | None:
    test = dbt.project.manifest.tests.get(unique_id)
    model = dbt.project.models.get(test.subject if test else unique_id)
    return model.meta.retries if model else None


def _may_retry(dbt: DbtInvocations, retried: Counter[str], unique_id: str) -> bool:
    return retried[unique_id] < max_retries([_retries(dbt, unique_id)])


def _to_retry(dbt: DbtInvocations, retried: Counter[str]) -> set[str]:
    """Return what failed and may be tried again.

    A node that was skipped without a failed node above it counts as failed itself: dbt skips
    everything when a hook fails, and the readers of an ephemeral model that does not compile.
    """
    failed = {uid for uid, why in dbt.failed.items() if why != SKIPPED}
    skipped = dbt.failed.keys() - failed
    failed |= skipped - nodes_skipped_by_failures(dbt.project.manifest, failed)
    return {uid for uid in failed if _may_retry(dbt, retried, uid)}


def _skipped_because_of(dbt: DbtInvocations, again: set[str]) -> set[str]:
    """Return what was skipped, and not because of a node that has failed for good."""
    skipped = {uid for uid, why in dbt.failed.items() if why == SKIPPED}
    failed_for_good = dbt.failed.keys() - skipped - again
    return skipped - nodes_skipped_by_failures(dbt.project.manifest, failed_for_good)


def nodes_skipped_by_failures(manifest: Manifest, failed: Iterable[str]) -> set[str]:
    """Return the nodes and tests that `dbt build` skips because of others that failed.

    A failed node skips everything downstream of it; a failed unit test also its model; any other
    failed test what is downstream of everything that it reads.
    """
    readers: defaultdict[str, set[str]] = defaultdict(set)
    for node in manifest.nodes.values():
        for dep in node.depends_on:
            readers[dep].add(node.unique_id)

    def below(unique_id: str) -> set[str]:
        found: set[str] = set()
        left = [unique_id]
        while left:
            new = readers[left.pop()] - found
            found |= new
            left += new
        return found

    failed = set(failed)
    skipped: set[str] = set()
    for uid in failed:
        test = manifest.tests.get(uid)
        if test is None:
            skipped |= below(uid)
        elif test.is_unit:
            skipped |= {test.subject} | below(test.subject)
        else:
            skipped |= set.intersection(*(below(read) for read in test.reads or [test.subject]))
    unbuilt = skipped | failed
    tests = {
        uid
        for uid, test in manifest.tests.items()
        if (test.subject in skipped if test.is_unit else not unbuilt.isdisjoint(test.reads))
    }
    return skipped | tests
