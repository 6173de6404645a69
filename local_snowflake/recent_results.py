"""Recent results by query id, as many as memory bears."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from local_snowflake.results import StatementResult

MAX_RESULTS = 200
MAX_BYTES = 256 * 1024 * 1024


class RecentResults:
    """What RESULT_SCAN and late fetches read; the oldest results go first."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, StatementResult] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, query_id: str, result: StatementResult) -> None:
        """Keep a result."""
        with self._lock:
            self._results[query_id] = result
            size = sum(kept.table.nbytes for kept in self._results.values())
            while len(self._results) > 1 and (len(self._results) > MAX_RESULTS or size > MAX_BYTES):
                _, oldest = self._results.popitem(last=False)
                size -= oldest.table.nbytes

    def get(self, query_id: str) -> StatementResult | None:
        """The result of a query; None when it is not known or no longer."""
        with self._lock:
            return self._results.get(query_id)


class NothingKept(dict[str, tuple[Any, ...]]):
    """Stands where upstream wants its results cache, which keeps every result for good."""

    def __setitem__(self, query_id: str, value: tuple[Any, ...]) -> None:
        """Forget the result."""
