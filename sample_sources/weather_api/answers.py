"""How the service answers, rightly and with faults."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sample_sources.weather_api.faults import Fault

JSON = "application/json"


class CutResponse(Response):
    """Half of a body whose whole length was declared; then the connection ends."""

    media_type = JSON

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it; uvicorn closes the connection of an answer that is left unfinished."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})


def problem(message: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """An answer that says what was wrong."""
    return JSONResponse({"error": message}, status, headers)


async def answer(body: bytes, faults: Sequence[Fault]) -> Response:
    """The answer to a right request: the body, unless faults hit it.

    Those that are slow delay it; of the others the first decides.
    """
    for fault in faults:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
    others = [fault for fault in faults if fault.kind != "slow"]
    if not others:
        return Response(body, media_type=JSON)
    (fault, *_) = others
    because = f"The fault {fault.text!r} is switched on."
    match fault.kind:
        case "rate_limit":
            return problem(because, 429, {"Retry-After": f"{fault.retry_after}"})
        case "error":
            return problem(because, 500)
        case "cut":
            return CutResponse(body)
        case _:
            return Response(body[: len(body) // 2], media_type=JSON)
