"""The service: /observations and /stations, and /health for those who look after it."""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sample_sources.flight_ops.clock_file import current_clock
from sample_sources.weather_api.address import proof_of
from sample_sources.weather_api.answers import answer, problem
from sample_sources.weather_api.fault_switches import FaultSwitches
from sample_sources.weather_api.faults import FaultError
from sample_sources.weather_api.observations import Observations, stations
from sample_sources.weather_api.own_host import OwnHostOnly
from sample_sources.weather_api.parameters import (
    Cursor,
    ParameterError,
    check_names,
    read_parameters,
)

API_KEY_VARIABLE = "WEATHER_API_KEY"


def build_app(
    folder: Path, token: str, lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]]
) -> Starlette:
    """The application.

    Args:
        folder: weather_api's folder, where faults are switched on.
        token: What the server proves itself with.
        lifespan: What happens around its life.

    Raises:
        FaultError: Those that the environment switches on are not written as they must be.
    """
    service = _Service(folder, token)
    return Starlette(
        routes=[
            Route("/observations", service.observations),
            Route("/stations", service.stations),
            Route("/health", service.health),
        ],
        exception_handlers={
            HTTPException: _http_problem,
            ParameterError: _parameter_problem,
            FaultError: _parameter_problem,
        },
        middleware=[Middleware(OwnHostOnly)],
        lifespan=lifespan,
    )


class _Service:
    def __init__(self, folder: Path, token: str) -> None:
        self._token = token
        self._api_key = os.environ.get(API_KEY_VARIABLE)
        self._switches = FaultSwitches(folder)
        self._observations = Observations()
        self._stations = stations()

    async def observations(self, request: Request) -> Response:
        self._authorize(request)
        asked = read_parameters(request.query_params)
        page = self._observations.page(
            await run_in_threadpool(current_clock),
            size=asked.page_size,
            after=asked.cursor.after if asked.cursor else None,
            since=asked.since,
            until=asked.until,
            origin=asked.origin,
        )
        cursor = f'"{Cursor(page.last, asked.page + 1)}"' if page.last else "null"
        body = f'{{"data": [{", ".join(page.rows)}], "next_cursor": {cursor}}}'
        return await self._answer(request, body, asked.page)

    async def stations(self, request: Request) -> Response:
        self._authorize(request)
        check_names(request.query_params, ())
        return await self._answer(request, json.dumps({"data": self._stations}), 1)

    async def health(self, request: Request) -> Response:
        clock = await run_in_threadpool(current_clock)
        return JSONResponse(
            {
                "proof": proof_of(self._token, request.query_params.get("nonce", "")),
                "clock": f"{clock}",
                "rows": {
                    "observations": self._observations.count(clock),
                    "stations": len(self._stations),
                },
                "faults": [fault.text for fault in self._switches.standing()],
            }
        )

    def _authorize(self, request: Request) -> None:
        if self._api_key is None:
            return
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._api_key}".encode()):
            raise HTTPException(
                401,
                "The header 'Authorization: Bearer <the service's key>' is missing or wrong.",
                {"WWW-Authenticate": "Bearer"},
            )

    async def _answer(self, request: Request, body: str, page: int) -> Response:
        query = request.query_params
        asked = sorted(each for each in query.multi_items() if each[0] != "fault")
        hits = self._switches.hits(query.getlist("fault"), f"{request.url.path} {asked}", page)
        return await answer(body.encode(), hits)


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - so it is registered
    return problem(error.detail, error.status_code, dict(error.headers or {}))


async def _parameter_problem(_: Request, error: Exception) -> Response:
    return problem(f"{error}", 400)
