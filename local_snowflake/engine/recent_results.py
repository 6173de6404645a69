"""The recent results, which clients may ask for again."""

from __future__ import annotations

import threading
from collections import OrderedDict

from local_snowflake.engine.results import StatementResult

MAX_RESULTS = 200
MAX_BYTES = 256 * 1024 * 1024


class RecentResults:
    """Results by query id, for RESULT_SCAN and late fetches; the oldest are dropped first."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, StatementResult] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._size = 0
        self._lock = threading.Lock()

    def add(self, query_id: str, result: StatementResult) -> None:
        """Keep a result."""
        with self._lock:
            self._results[query_id] = result
            self._sizes[query_id] = int(result.table.nbytes)
            self._size += self._sizes[query_id]
            while len(self._results) > 1 and (
                len(self._results) > MAX_RESULTS or self._size > MAX_BYTES
            ):
                oldest, _ = self._results.popitem(last=False)
                self._size -= self._sizes.pop(oldest)

    def get(self, query_id: str) -> StatementResult | None:
        """Return the result of a query; None when it is unknown or dropped."""
        with self._lock:
            return self._results.get(query_id)
