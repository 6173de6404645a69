"""Refuses requests that were sent to another host's name.

A page in a browser can have its own name resolve to 127.0.0.1 (DNS rebinding), and then read what
a server of this machine answers. The browser still sends the page's name as the host.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sample_sources.weather_api.answers import problem

NAMES = ("127.0.0.1", "localhost")


class OwnHostOnly:
    """Passes on requests whose Host is this server's own: a name of this machine, and the port."""

    def __init__(self, app: ASGIApp) -> None:
        """Take what answers the other requests."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with 421, or pass it on."""
        if scope["type"] != "http" or _is_own(scope):
            await self._app(scope, receive, send)
            return
        message = "The request's Host is not this server's: it answers 127.0.0.1 and localhost."
        await problem(message, 421)(scope, receive, send)


def _is_own(scope: Scope) -> bool:
    _, port = scope["server"]
    hosts = Headers(scope=scope).getlist("host")
    return len(hosts) == 1 and hosts[0].lower() in {f"{name}:{port}" for name in NAMES}
