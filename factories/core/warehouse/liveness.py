"""Whether a warehouse's server answers at all, which a client that waits for it cannot tell."""

from __future__ import annotations

import ssl
from enum import Enum, auto
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from factories.core.warehouse.settings import WarehouseSettings

# What stands before a server says so when the server itself is not there.
NO_SERVER = frozenset({502, 503, 504})


class Liveness(Enum):
    """What became of a request to the server."""

    ANSWERS = auto()
    SILENT = auto()  # and may answer the next one
    GONE = auto()  # nothing listens at an address of this machine: it never answers again


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: that there is one is an answer."""


def ask_whether_it_answers(settings: WarehouseSettings, seconds: float) -> Liveness:
    """Send the server a request without a login; any answer counts, also a refusal.

    Args:
        settings: How to reach the warehouse.
        seconds: How long to wait for the answer.
    """
    request = Request(settings.url, method="HEAD")  # noqa: S310 - http or https, by its settings
    try:
        build_opener(_NoRedirects()).open(request, timeout=seconds).close()
    except HTTPError as error:
        error.close()
        return Liveness.SILENT if error.code in NO_SERVER else Liveness.ANSWERS
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return Liveness.ANSWERS  # whom the clients trust is their own affair
        if settings.host == "127.0.0.1" and isinstance(reason, ConnectionRefusedError):
            return Liveness.GONE
        return Liveness.SILENT
    return Liveness.ANSWERS
