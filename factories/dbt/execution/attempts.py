"""Running dbt again for what failed, as often as each node may be tried."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import count

import dagster as dg

from factories.core.meta.retries import RetrySpec, max_retries, retry_delay
from factories.dbt.execution.events import NodeResult
from factories.dbt.execution.invocation import SKIPPED, DbtInvocations
from factories.dbt.project.manifest import Manifest


def build_pending(dbt: DbtInvocations, pending: set[str]) -> Iterator[NodeResult]:
    """Run nodes and tests; run dbt again for what failed, as the `retries` of each node say.

    A test may be tried as often as what it is about. What was skipped is built with what it was
    skipped for, and stays skipped below what has failed for good.

    Yields:
        One result for each: Dagster takes no second one of a check, and fails a step for each
        failure that it is told, whatever comes after. So a failure is held until it is final.

    Raises:
        dagster.Failure: When dbt refuses the project or its configuration.
    """
    tried: Counter[str] = Counter()
    held: dict[str, NodeResult] = {}
    for retry in count(1):
        try:
            for result in dbt.run(pending):
                if result.outcome == "failed" and _tries_left(dbt, tried, result.unique_id):
                    held[result.unique_id] = result
                    continue
                if result.outcome != SKIPPED:
                    held.pop(result.unique_id, None)
                yield result
        except dg.Failure:
            yield from held.values()
            raise
        again = _to_try_again(dbt, tried)
        tried.update(again)
        pending = again | _skipped_for(dbt, again)
        if not again:
            break
        seconds = retry_delay([_retries(dbt, uid) for uid in again], retry)
        dbt.context.log.warning(
            "trying again in %.0f s (retry %d): %s", seconds, retry, dbt.failed_names(pending)
        )
        time.sleep(seconds)
    yield from held.values()


def _retries(dbt: DbtInvocations, unique_id: str) -> RetrySpec | None:
    test = dbt.project.manifest.tests.get(unique_id)
    model = dbt.project.models.get(test.subject if test else unique_id)
    return model.meta.retries if model else None


def _tries_left(dbt: DbtInvocations, tried: Counter[str], unique_id: str) -> bool:
    return tried[unique_id] < max_retries([_retries(dbt, unique_id)])


def _to_try_again(dbt: DbtInvocations, tried: Counter[str]) -> set[str]:
    """Return what failed and may be tried again.

    What was skipped for no failed node has failed itself: dbt skips all for a hook, and what
    reads an ephemeral model that does not compile.
    """
    failed = {uid for uid, why in dbt.failed.items() if why != SKIPPED}
    skipped = dbt.failed.keys() - failed
    failed |= skipped - nodes_skipped_by_failures(dbt.project.manifest, failed)
    return {uid for uid in failed if _tries_left(dbt, tried, uid)}


def _skipped_for(dbt: DbtInvocations, again: set[str]) -> set[str]:
    """Return what was skipped, and by nothing that has failed for good."""
    skipped = {uid for uid, why in dbt.failed.items() if why == SKIPPED}
    for_good = dbt.failed.keys() - skipped - again
    return skipped - nodes_skipped_by_failures(dbt.project.manifest, for_good)


def nodes_skipped_by_failures(manifest: Manifest, failed: Iterable[str]) -> set[str]:
    """Return what `dbt build` skips for nodes and tests that failed.

    Of a failed node all that is downstream; of a unit test its model too; of any other test what
    is downstream of all that it reads.
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
    held: set[str] = set()
    for uid in failed:
        test = manifest.tests.get(uid)
        if test is None:
            held |= below(uid)
        elif test.is_unit:
            held |= {test.subject} | below(test.subject)
        else:
            held |= set.intersection(*(below(read) for read in test.reads or [test.subject]))
    unbuilt = held | failed
    tests = {
        uid
        for uid, test in manifest.tests.items()
        if (test.subject in held if test.is_unit else not unbuilt.isdisjoint(test.reads))
    }
    return held | tests
