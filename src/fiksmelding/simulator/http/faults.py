"""Faults of calls over HTTP."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Middleware

from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.faults import Faults, HttpFault
from fiksmelding.simulator.refusals import Refusal

__all__ = ["fault_of_this_call", "suffer_faults", "suffer_midway"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NO_FAULT = HttpFault()
_striking = ContextVar("_striking", default=NO_FAULT)


def suffer_faults(faults: Faults, clock: SimulatorClock) -> Middleware:
    """A middleware that lets faults strike calls."""

    @web.middleware
    async def suffer(request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = faults.for_call(request.method, request.path)
        if fault is None:
            return await handler(request)
        _striking.set(fault)  # The handler runs in this task: it finds there what concerns its answer's content.
        if fault.body == "whole":
            await _wait(fault, clock)
        if fault.connection == "reset":
            raise _broken(request)
        if fault.status is not None:
            raise _refusal(fault.status, fault)
        response = await handler(request)
        if fault.connection == "reset_after":
            raise _broken(request)
        if fault.body != "whole" and isinstance(response, web.Response) and not response.prepared:
            return await _in_halves(request, response, clock)
        return response

    return suffer


def fault_of_this_call() -> HttpFault:
    """The fault that struck the call being handled; one that does nothing when none did."""
    return _striking.get()


async def suffer_midway(request: web.Request, clock: SimulatorClock) -> None:
    """Called between the halves of a body: waits, or breaks the connection, when a fault says so.

    Raises:
        ConnectionResetError: The connection is broken.
    """
    match fault_of_this_call().body:
        case "slow":
            await _wait(fault_of_this_call(), clock)
        case "cut":
            raise _broken(request)


async def _in_halves(request: web.Request, whole: web.Response, clock: SimulatorClock) -> web.StreamResponse:
    body = whole.body if isinstance(whole.body, bytes) else b""
    halves = web.StreamResponse(status=whole.status, headers={**whole.headers, "Content-Length": str(len(body))})
    await halves.prepare(request)
    await halves.write(body[: len(body) // 2])
    await suffer_midway(request, clock)
    await halves.write(body[len(body) // 2 :])
    await halves.write_eof()
    return halves


async def _wait(fault: HttpFault, clock: SimulatorClock) -> None:
    if fault.delay_seconds:
        await clock.wait_until(clock.now() + timedelta(seconds=fault.delay_seconds))


def _broken(request: web.Request) -> ConnectionResetError:
    if request.transport is not None:
        request.transport.abort()
    return ConnectionResetError()


def _refusal(status: int, fault: HttpFault) -> Refusal:
    headers = {} if fault.retry_after_seconds is None else {"Retry-After": str(fault.retry_after_seconds)}
    return Refusal(HTTPStatus(status), "Feil på bestilling", headers=headers)
