"""The control API's faults: what is to go wrong, and connections that break now."""

from collections.abc import Iterable
from typing import Protocol

from aiohttp import web
from pydantic import ValidationError

from fiksmelding.errors import FiksmeldingError
from fiksmelding.simulator.fault_script import FaultScript
from fiksmelding.simulator.faults import Faults
from fiksmelding.simulator.http.local import check_host, json_body
from fiksmelding.simulator.refusals import Refusal

__all__ = ["Breakable", "FaultControlRoutes"]


class Breakable(Protocol):
    """What can be made to fail."""

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        ...

    async def sever_connections(self) -> None:
        """Cut every AMQP connection."""
        ...

    def silence_connections(self) -> None:
        """Leave every AMQP connection half open."""
        ...


class FaultControlRoutes:
    """Faults, added and called off; connections, cut and silenced.

    Args:
        simulator: What is to fail.
    """

    def __init__(self, simulator: Breakable) -> None:
        self._simulator = simulator

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        yield web.get("/control/faults", self._faults)
        yield web.post("/control/faults", self._add_faults)
        yield web.delete("/control/faults", self._clear_faults)
        yield web.post("/control/connections/sever", self._sever)
        yield web.post("/control/connections/silence", self._silence)

    async def _faults(self, request: web.Request) -> web.Response:
        check_host(request)
        return web.json_response({"struck": self._simulator.faults.struck()})

    async def _add_faults(self, request: web.Request) -> web.Response:
        try:
            script = FaultScript.model_validate_json(await json_body(request))
        except ValidationError as error:
            mistakes = error.errors(include_url=False, include_input=False, include_context=False)
            named = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in mistakes[:5])
            raise Refusal.bad_request(f"Not a script of faults: {named}") from None
        self._simulator.faults.add(*script.faults)
        return web.json_response({"added": len(script.faults)}, status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        check_host(request)
        self._simulator.faults.clear()
        return web.json_response({})

    async def _sever(self, request: web.Request) -> web.Response:
        await json_body(request)
        await self._simulator.sever_connections()
        return web.json_response({})

    async def _silence(self, request: web.Request) -> web.Response:
        await json_body(request)
        try:
            self._simulator.silence_connections()
        except FiksmeldingError as error:
            raise Refusal.bad_request(str(error)) from error
        return web.json_response({})
