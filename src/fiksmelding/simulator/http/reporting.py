"""The bekymringsmelding API over HTTP, versions 1 and 2 (contract section 10)."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from aiohttp import BodyPartReader, web

from fiksmelding.simulator.answers import Answer, Submitted
from fiksmelding.simulator.authentication import Authentication
from fiksmelding.simulator.http.faults import fault_of_this_call
from fiksmelding.simulator.http.requests import caller, parts, path_uuid
from fiksmelding.simulator.municipalities import StottetVersjon
from fiksmelding.simulator.national.portal import SealedReport
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.reporting import Reporting

__all__ = ["ReportingRoutes"]

LARGEST_BYTES = 5 * 1024 * 1024
CONTAINER, PRINT_COPY = "asice", "bekymringsmelding"
ONLY_IN_V2 = frozenset({"stottetVersjon", "gyldig"})
DISTRICT = "/{kommunenummer}/{bydelsnummer}"


class ReportingRoutes:
    """One version of the API.

    Args:
        version: Which.
        reporting: Who does what is asked.
        authentication: Who checks the caller.
    """

    def __init__(self, version: StottetVersjon, reporting: Reporting, authentication: Authentication) -> None:
        self._version = version
        self._reporting = reporting
        self._authentication = authentication

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        base = f"/bekymringsmelding/api/{self._version.lower()}"
        receiving = f"{base}/mottak/fagsystem"
        yield web.get(f"{base}/kommuner", self._kommuner)
        yield web.get(f"{base}/kommuner/{{kommunenummer}}", self._kommune)
        yield web.get(f"{base}/kommuner/{{kommunenummer}}/bydeler", self._bydeler)
        yield web.get(f"{base}/kommuner/{{kommunenummer}}/bydeler/{{bydelsnummer}}", self._bydel)
        yield web.get(f"{receiving}{DISTRICT}/krypteringsnokler", self._keys)
        yield web.post(f"{receiving}/{{fraFiksOrgId}}{DISTRICT}/{{kind:privat|offentlig}}", self._submit)
        yield web.get(f"{receiving}/{{fraFiksOrgId}}/bekymringsmelding/{{id}}/status", self._status)

    async def _kommuner(self, request: web.Request) -> web.Response:
        caller(request, self._authentication)
        return self._json(self._reporting.kommuner())

    async def _kommune(self, request: web.Request) -> web.Response:
        caller(request, self._authentication)
        return self._json(self._reporting.kommune(request.match_info["kommunenummer"]))

    async def _bydeler(self, request: web.Request) -> web.Response:
        caller(request, self._authentication)
        return self._json(self._reporting.kommune(request.match_info["kommunenummer"]).bydeler)

    async def _bydel(self, request: web.Request) -> web.Response:
        caller(request, self._authentication)
        return self._json(
            self._reporting.bydel(request.match_info["kommunenummer"], request.match_info["bydelsnummer"])
        )

    async def _keys(self, request: web.Request) -> web.Response:
        caller(request, self._authentication)
        return self._json(
            self._reporting.keys(
                request.match_info["kommunenummer"],
                request.match_info["bydelsnummer"],
                whose=fault_of_this_call().certificate,
            )
        )

    async def _submit(self, request: web.Request) -> web.Response:
        integration = caller(request, self._authentication)
        report_id = await self._reporting.submit(
            integration,
            sender_id=path_uuid(request, "fraFiksOrgId"),
            kommunenummer=request.match_info["kommunenummer"],
            bydelsnummer=request.match_info["bydelsnummer"],
            kind=request.match_info["kind"],
            version=self._version,
            sealed=await _read(request),
        )
        return self._json(Submitted.model_validate({"uuid": report_id}), status=HTTPStatus.CREATED)

    async def _status(self, request: web.Request) -> web.Response:
        integration = caller(request, self._authentication)
        states = self._reporting.status(
            integration, sender_id=path_uuid(request, "fraFiksOrgId"), report_id=path_uuid(request, "id")
        )
        told = {"all": len(states), "all_but_newest": len(states) - 1, "none": 0}
        return self._json(states[: told[fault_of_this_call().states]])

    def _json(self, answer: Answer | Sequence[Answer], *, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
        answers = [answer] if isinstance(answer, Answer) else answer
        known = [self._as_known(one.model_dump(mode="json", by_alias=True)) for one in answers]
        return web.json_response(known[0] if isinstance(answer, Answer) else known, status=status)

    def _as_known(self, value: object) -> object:
        """The value as this version of the API knows it."""
        if self._version is StottetVersjon.V2:
            return value
        if isinstance(value, dict):
            return {name: self._as_known(inner) for name, inner in value.items() if name not in ONLY_IN_V2}
        return [self._as_known(inner) for inner in value] if isinstance(value, list) else value


async def _read(request: web.Request) -> SealedReport:
    found: dict[str, bytes] = {}
    async for part in parts(request):
        name = part.name or ""
        if name not in {CONTAINER, PRINT_COPY} or name in found:
            raise Refusal.bad_request(f"Bare én del {PRINT_COPY} og én del {CONTAINER} kan sendes")
        found[name] = await _limited(part, LARGEST_BYTES - sum(map(len, found.values())))
    for name in (CONTAINER, PRINT_COPY):
        if not found.get(name):
            raise Refusal.bad_request(f"Delen {name} mangler eller er tom")
    return SealedReport(found[CONTAINER], found[PRINT_COPY])


async def _limited(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > limit:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Bekymringsmeldingen er større enn 5 MB")
    return bytes(data)
