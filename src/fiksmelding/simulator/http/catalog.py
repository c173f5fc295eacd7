"""The catalog over HTTP (contract section 4)."""

from collections.abc import Iterable

from aiohttp import web

from fiksmelding.simulator.answers import Answer
from fiksmelding.simulator.authentication import Authentication
from fiksmelding.simulator.catalog import Catalog
from fiksmelding.simulator.http.faults import fault_of_this_call
from fiksmelding.simulator.http.requests import caller, path_uuid

__all__ = ["CatalogRoutes"]

BASE = "/fiks-io/katalog/api/v1"


class CatalogRoutes:
    """Four look-ups; the public key is for anyone.

    Args:
        catalog: Who answers.
        authentication: Who checks the caller.
    """

    def __init__(self, catalog: Catalog, authentication: Authentication) -> None:
        self._catalog = catalog
        self._authentication = authentication

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        yield web.get(f"{BASE}/lookup", self._lookup)
        yield web.get(f"{BASE}/kontoer/{{kontoId}}", self._account)
        yield web.get(f"{BASE}/kontoer/{{kontoId}}/offentligNokkel", self._public_key)
        yield web.get(f"{BASE}/kontoer/{{kontoId}}/status", self._status)

    async def _lookup(self, request: web.Request) -> web.Response:
        caller(request, self._authentication)
        return _json(
            await self._catalog.lookup(
                identifier=request.query.get("identifikator", ""),
                protocol=request.query.get("meldingProtokoll", ""),
                level=request.query.get("sikkerhetsniva", ""),
            )
        )

    async def _account(self, request: web.Request) -> web.Response:
        caller(request, self._authentication)
        return _json(await self._catalog.account(path_uuid(request, "kontoId")))

    async def _public_key(self, request: web.Request) -> web.Response:
        return _json(self._catalog.public_key(path_uuid(request, "kontoId"), whose=fault_of_this_call().certificate))

    async def _status(self, request: web.Request) -> web.Response:
        caller(request, self._authentication)
        return _json(await self._catalog.status(path_uuid(request, "kontoId")))


def _json(answer: Answer) -> web.Response:
    return web.Response(text=answer.to_json(), content_type="application/json")
