"""What the tests of weather_api share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

SECONDS = 30


@dataclass(frozen=True)
class Service:
    """A running weather_api, as a client sees it."""

    url: str

    def get(self, path: str = "/observations", **parameters: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", parameters, timeout=SECONDS)

    def page(self, path: str = "/observations", **parameters: Any) -> dict[str, Any]:
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert isinstance(page, dict)
        return page

    def pages(self, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
        while True:
            page = self.page(**parameters)
            yield page["data"]
            if page["next_cursor"] is None:
                return
            parameters["cursor"] = page["next_cursor"]

    def rows(self, **parameters: Any) -> list[dict[str, Any]]:
        parameters.setdefault("page_size", 5_000)
        return [row for page in self.pages(**parameters) for row in page]


def keys(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["time_hour"], row["origin"]) for row in rows]
