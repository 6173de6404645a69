"""The pages of declarative APIs: dlt's session, errors that name the page, lost data noticed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dlt.common import jsonpath, logger
from dlt.extract import DltResource
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client.client import PageData
from dlt.sources.helpers.rest_client.redaction import sanitize_url
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import JSONDecodeError, RequestException

# Keys by which APIs announce a further page.
NEXT_PAGE_KEY = re.compile(r"next|cursor|token|continuation|has_?more", re.IGNORECASE)
DEEPEST = 3


class MalformedPageError(JSONDecodeError):
    """A page of an API is not JSON; the text names its address and what is wrong."""

    def __init__(self, page: Response, error: JSONDecodeError) -> None:
        """Take the page, and what the parser says."""
        kind = page.headers.get("Content-Type", "").partition(";")[0].strip()
        hint = f" but {kind}" if kind and "json" not in kind else ""
        super().__init__(
            f"the page {sanitize_url(page.url)} is not valid JSON{hint}: {error.msg}",
            error.doc,
            error.pos,
        )


class _Page(Response):
    def json(self, **options: Any) -> Any:
        try:
            return super().json(**options)
        except JSONDecodeError as error:
            raise MalformedPageError(self, error) from None

    def iter_content(self, *args: Any, **options: Any) -> Iterator[Any]:
        try:
            yield from super().iter_content(*args, **options)
        except RequestException as error:
            error.request = error.request or self.request  # so that its address can be shown
            raise


class _Adapter(HTTPAdapter):
    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        response = super().build_response(req, resp)
        response.__class__ = _Page
        return response


def api_session() -> Session:
    """Return dlt's session, which waits as `Retry-After` says and tries transient errors again.

    How often and how long is a pipeline's `config.runtime`; dlt's own client of a declarative API
    leaves these settings out.
    """
    client = Client(raise_for_status=False)
    client.configure()
    session: Session = client.session
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    return session


def watch_pages(resource: DltResource) -> None:
    """Warn where dlt takes no rows, or no further page, because a path matches nothing.

    It does so silently: a misspelt `data_selector` loads nothing, a misspelt path to the cursor
    loads the first page alone.
    """
    selector = (resource.explicit_args or {}).get("data_selector")
    seen = 0

    def watch(page: Any, _meta: Any, _metrics: dict[str, Any]) -> None:
        nonlocal seen
        if not isinstance(page, PageData):
            return
        seen += 1
        if not page and selector:
            _warn_of_selector(resource.name, selector, page.response)
        if page and seen == 1:
            _warn_of_paginator(resource.name, page)

    resource.add_metrics(watch, insert_at=1)  # before any step that may drop rows


def _warn_of_selector(name: str, selector: Any, page: Response) -> None:
    body = page.json()
    if not jsonpath.find_values(jsonpath.compile_path(selector), body):
        logger.warning(
            "%s: nothing is at data_selector %r in the page %s, so no row is taken from it;"
            " the page has %s",
            name,
            str(selector),
            sanitize_url(page.url),
            ", ".join(body) if isinstance(body, dict) else f"a {type(body).__name__}",
        )


def _warn_of_paginator(name: str, page: PageData[Any]) -> None:
    """Warn when a first page lacks the paginator's path, but announces a next page elsewhere.

    Many APIs leave the key out on the last page: its absence alone says nothing.
    """
    for attribute in ("cursor_path", "next_url_path"):
        path = getattr(page.paginator, attribute, None)
        if path is None or jsonpath.find_values(path, page.response.json()):
            continue
        others = list(_next_page_keys(page.response.json()))
        if others:
            logger.warning(
                "%s: nothing is at the paginator's %s %r in the first page, so no further page is"
                " read; the page has %s",
                name,
                attribute,
                str(path),
                ", ".join(others),
            )


def _next_page_keys(node: Any, path: str = "", depth: int = 1) -> Iterator[str]:
    if not isinstance(node, dict) or depth > DEEPEST:
        return
    for key, value in node.items():
        here = f"{path}{key}"
        if isinstance(value, dict):
            yield from _next_page_keys(value, f"{here}.", depth + 1)
        elif value and not isinstance(value, list) and NEXT_PAGE_KEY.search(key):
            yield here
