"""GitHub's REST API, as far as the workflows need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from deploy.ci.command import CommandError, needed

TIMEOUT_SECONDS = 30
OK = 400  # statuses from here on are errors
# What may be asked twice: a comment that is posted twice would stand there twice.
RETRIES = Retry(
    total=4,
    backoff_factor=0.5,
    status_forcelist=(502, 503, 504),
    allowed_methods=("GET", "PATCH"),
    raise_on_status=False,
)


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub.

    Attributes:
        api: The API's address.
        name: The repository's owner and name.
        token: What requests are allowed by; it never shows.
    """

    api: str
    name: str
    token: str = field(repr=False)

    @classmethod
    def of_workflow(cls) -> Repository:
        """Return the repository that a workflow runs for.

        Raises:
            CommandError: Outside of a workflow, or without a token.
        """
        return cls(
            needed("GITHUB_API_URL", "the address of GitHub's API, which each workflow has"),
            needed("GITHUB_REPOSITORY", "the owner and name of the repository"),
            needed("GITHUB_TOKEN", "the step needs `GITHUB_TOKEN: ${{ github.token }}`"),
        )

    def list_all(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a list, of all its pages."""
        url: str | None = self._url(path)
        parameters: Mapping[str, str] | None = {"per_page": "100", **query}
        with self._session() as session:
            while url:
                answer = _send(session, "GET", url, params=parameters)
                yield from answer.json()
                url = answer.links.get("next", {}).get("url")
                parameters = None  # they stand in the address of the next page

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return one object."""
        with self._session() as session:
            found: dict[str, Any] = _send(session, "GET", self._url(path), params=query).json()
        return found

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create or change an object, and return it."""
        with self._session() as session:
            answer = _send(session, method, self._url(path), json=body)
        made: dict[str, Any] = answer.json() if answer.content else {}
        return made

    def open_pull_requests(self) -> frozenset[int]:
        """Return the numbers of the pull requests that are open."""
        return frozenset(int(one["number"]) for one in self.list_all("pulls", state="open"))

    def _url(self, path: str) -> str:
        return f"{self.api.rstrip('/')}/repos/{self.name}/{path}"

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        with requests.Session() as session:
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
            session.headers.update(
                {
                    "Accept": "application/vnd.github+json",
                    "Authorization": f"Bearer {self.token}",
                    "X-GitHub-Api-Version": "2022-11-28",
                }
            )
            yield session


def _send(session: requests.Session, method: str, url: str, **arguments: Any) -> requests.Response:
    try:
        answer = session.request(method, url, timeout=TIMEOUT_SECONDS, **arguments)
    except requests.RequestException as error:
        raise CommandError(f"GitHub did not answer {method} {url}: {error}") from None
    if answer.status_code >= OK:
        raise CommandError(
            f"GitHub answered {answer.status_code} to {method} {url}: {_said(answer)}"
        )
    return answer


def _said(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:300] or "nothing"
