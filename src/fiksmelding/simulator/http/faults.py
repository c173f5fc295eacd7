"""Faults of calls over HTTP."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Middleware

from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.faults import Faults, HttpFault
from fiksmelding.simulator.refusals import Refusal

__all__ = ["suffer_faults"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def suffer_faults(faults: Faults, clock: SimulatorClock) -> Middleware:
    """A middleware that lets faults strike calls."""

    @web.middleware
    async def suffer(request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = faults.for_call(request.method, request.path)
        if fault is None:
            return await handler(request)
        if fault.delay_seconds:
            await clock.wait_until(clock.now() + timedelta(seconds=fault.delay_seconds))
        if fault.connection == "reset":
            raise _broken(request)
        if fault.status is not None:
            raise _refusal(fault.status, fault)
        response = await handler(request)
        if fault.connection == "reset_after":
            raise _broken(request)
        return response

    return suffer


def _broken(request: web.Request) -> ConnectionResetError:
    if request.transport is not None:
        request.transport.abort()
    return ConnectionResetError()


def _refusal(status: int, fault: HttpFault) -> Refusal:
    headers = {} if fault.retry_after_seconds is None else {"Retry-After": str(fault.retry_after_seconds)}
    return Refusal(HTTPStatus(status), "Feil på bestilling", headers=headers)
