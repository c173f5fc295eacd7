"""The control API: what a test suite in any language drives the simulator with. JSON over HTTP, on loopback alone."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Protocol

from aiohttp import web
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from fiksmelding.errors import FiksmeldingError, InvalidMessage
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.exchange import TakenMessage
from fiksmelding.simulator.http.described import describe_letter, describe_receipt, describe_report, describe_taken
from fiksmelding.simulator.http.local import check_host, json_body
from fiksmelding.simulator.national.letters import Letter
from fiksmelding.simulator.national.reports import Report
from fiksmelding.simulator.national.states import Tilstand
from fiksmelding.simulator.platform import AccountState
from fiksmelding.simulator.refusals import Refusal

__all__ = ["ControlRoutes", "Controlled"]

LONGEST_WAIT_SECONDS = 600


class Controlled(Protocol):
    """What the control API controls."""

    @property
    def clock(self) -> SimulatorClock:
        """The simulator's time."""
        ...

    async def submit(self, data: bytes, *, message_type: str, account: str, bydelsnummer: str | None = None) -> str:
        """Submit a report."""
        ...

    def reports(self) -> tuple[Report, ...]:
        """Every report."""
        ...

    def report(self, report_id: str) -> Report:
        """One of them."""
        ...

    async def wait_for(self, report_id: str, tilstand: str, *, timeout: float) -> Report:  # noqa: ASYNC109
        """Wait until a report has come to a state."""
        ...

    def has_case_system(self, account: str, *, has: bool) -> None:
        """Say whether a municipality has a case system."""
        ...

    def fetch_by_hand(self, report_id: str) -> bytes:
        """Fetch a report where there is none."""
        ...

    def letters(self) -> tuple[Letter, ...]:
        """What was printed."""
        ...

    def taken(self) -> tuple[TakenMessage, ...]:
        """Every message that Fiks IO took."""
        ...

    def put_on_queue(self, account: str, *, headers: Mapping[str, str], body: bytes, expiration_ms: int | None) -> None:
        """Put any message on an account's queue."""
        ...

    async def account_states(self) -> tuple[AccountState, ...]:
        """What goes on at each account."""
        ...

    def account_names(self) -> Mapping[str, str]:
        """Names of accounts by their id."""
        ...


class _Advance(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: Annotated[float, Field(ge=0, le=10 * 365 * 86_400, allow_inf_nan=False)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    headers: dict[str, str]
    body: Base64Bytes = b""
    expiration_ms: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None


class _AccountChange(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    case_system: bool


class ControlRoutes:
    """Submitting and putting on queues, looking at what became of it, and pushing the clock forward.

    Args:
        simulator: What is controlled.
    """

    def __init__(self, simulator: Controlled) -> None:
        self._simulator = simulator

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        yield web.post("/control/reports", self._submit)
        yield web.get("/control/reports", self._list)
        yield web.get("/control/reports/{id}", self._report)
        yield web.get("/control/reports/{id}/receipts", self._receipts)
        yield web.post("/control/reports/{id}/fetch", self._fetch)
        yield web.get("/control/accounts", self._accounts)
        yield web.post("/control/accounts/{name}", self._change_account)
        yield web.get("/control/clock", self._time)
        yield web.post("/control/clock/advance", self._advance)
        yield web.get("/control/letters", self._letters)
        yield web.get("/control/letters/{id}", self._letter)
        yield web.get("/control/taken", self._taken)
        yield web.post("/control/messages", self._put)

    async def _submit(self, request: web.Request) -> web.Response:
        data = await json_body(request)
        try:
            report_id = await self._simulator.submit(
                data,
                message_type=request.query.get("messageType", ""),
                account=request.query.get("account", "bergen"),
                bydelsnummer=request.query.get("bydelsnummer"),
            )
        except InvalidMessage as error:
            raise Refusal.bad_request(str(error)) from error
        return web.json_response({"id": report_id}, status=201)

    async def _list(self, request: web.Request) -> web.Response:
        check_host(request)
        names = self._simulator.account_names()
        return web.json_response([describe_report(report, names) for report in self._simulator.reports()])

    async def _report(self, request: web.Request) -> web.Response:
        report = self._find(request)
        if wanted := request.query.get("tilstand"):
            report = await self._wait(report, wanted, request.query.get("seconds", "10"))
        return web.json_response(describe_report(report, self._simulator.account_names()))

    async def _wait(self, report: Report, wanted: str, seconds: str) -> Report:
        """The report when it has come to a state, has ended otherwise, or the time is over."""
        try:
            tilstand, timeout = Tilstand(wanted), float(seconds)
        except ValueError:
            raise Refusal.bad_request("tilstand must be a state of a report, seconds a number") from None
        if not 0 <= timeout <= LONGEST_WAIT_SECONDS:
            raise Refusal.bad_request(f"seconds must be from 0 to {LONGEST_WAIT_SECONDS}")
        with suppress(TimeoutError, FiksmeldingError):
            await self._simulator.wait_for(report.id, tilstand, timeout=timeout)
        return self._simulator.report(report.id)

    async def _receipts(self, request: web.Request) -> web.Response:
        return web.json_response([describe_receipt(receipt) for receipt in self._find(request).receipts])

    async def _fetch(self, request: web.Request) -> web.Response:
        await json_body(request)
        return web.Response(body=self._simulator.fetch_by_hand(request.match_info["id"]))

    async def _change_account(self, request: web.Request) -> web.Response:
        try:
            wanted = _AccountChange.model_validate_json(await json_body(request))
        except ValidationError:
            raise Refusal.bad_request('Send {"caseSystem": true} or false') from None
        self._simulator.has_case_system(request.match_info["name"], has=wanted.case_system)
        return web.json_response({})

    async def _letters(self, request: web.Request) -> web.Response:
        check_host(request)
        return web.json_response([describe_letter(letter) for letter in self._simulator.letters()])

    async def _letter(self, request: web.Request) -> web.StreamResponse:
        check_host(request)
        wanted = request.match_info["id"]
        letter = next((one for one in self._simulator.letters() if one.report_id == wanted), None)
        if letter is None:
            raise Refusal.not_found("There is no letter with that report")
        return web.FileResponse(letter.path)

    async def _taken(self, request: web.Request) -> web.Response:
        check_host(request)
        return web.json_response([describe_taken(message) for message in self._simulator.taken()])

    async def _put(self, request: web.Request) -> web.Response:
        try:
            message = _Message.model_validate_json(await json_body(request))
            self._simulator.put_on_queue(
                request.query.get("account", "bergen"),
                headers=message.headers,
                body=message.body,
                expiration_ms=message.expiration_ms,
            )
        except ValueError:  # Among them pydantic's.
            raise Refusal.bad_request('Send {"headers": {…}, "body": base64, "expirationMs": number}') from None
        return web.json_response({}, status=201)

    async def _accounts(self, request: web.Request) -> web.Response:
        check_host(request)
        described = [
            {
                "name": state.name,
                "title": state.title,
                "kontoId": state.account_id,
                "waiting": state.queue.waiting,
                "held": state.queue.held,
                "consumers": state.queue.consumers,
            }
            for state in await self._simulator.account_states()
        ]
        return web.json_response(described)

    async def _time(self, request: web.Request) -> web.Response:
        check_host(request)
        return web.json_response(self._now())

    async def _advance(self, request: web.Request) -> web.Response:
        try:
            wanted = _Advance.model_validate_json(await json_body(request))
        except ValidationError:
            raise Refusal.bad_request('Send {"seconds": number}, from 0 to ten years') from None
        self._simulator.clock.advance(timedelta(seconds=wanted.seconds))
        return web.json_response(self._now())

    def _now(self) -> dict[str, str]:
        return {"now": self._simulator.clock.now().isoformat()}

    def _find(self, request: web.Request) -> Report:
        check_host(request)
        wanted = request.match_info["id"]
        report = next((one for one in self._simulator.reports() if one.id == wanted), None)
        if report is None:
            raise Refusal.not_found("There is no such report")
        return report
