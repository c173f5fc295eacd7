"""The control API: what a test suite in any language drives the simulator with. JSON over HTTP, on loopback alone."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fiksmelding.errors import InvalidMessage
from fiksmelding.messages import REPORT_TYPES
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.faults import Faults, FaultScript
from fiksmelding.simulator.national.reports import Receipt, Report
from fiksmelding.simulator.platform import AccountState
from fiksmelding.simulator.refusals import Refusal

__all__ = ["ControlRoutes", "Controlled", "check_host"]

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Controlled(Protocol):
    """What the control API controls."""

    @property
    def clock(self) -> SimulatorClock:
        """The simulator's time."""
        ...

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        ...

    async def submit(self, data: bytes, *, message_type: str, account: str, bydelsnummer: str | None = None) -> str:
        """Submit a report."""
        ...

    def reports(self) -> tuple[Report, ...]:
        """Every report."""
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


class ControlRoutes:
    """Submitting, listing, pushing the clock forward, and faults.

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
        yield web.get("/control/accounts", self._accounts)
        yield web.get("/control/clock", self._time)
        yield web.post("/control/clock/advance", self._advance)
        yield web.get("/control/faults", self._faults)
        yield web.post("/control/faults", self._add_faults)
        yield web.delete("/control/faults", self._clear_faults)

    async def _submit(self, request: web.Request) -> web.Response:
        data = await _json_body(request)
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
        return web.json_response([_describe(report, names) for report in self._simulator.reports()])

    async def _report(self, request: web.Request) -> web.Response:
        return web.json_response(_describe(self._find(request), self._simulator.account_names()))

    async def _receipts(self, request: web.Request) -> web.Response:
        return web.json_response([_describe_receipt(receipt) for receipt in self._find(request).receipts])

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
            wanted = _Advance.model_validate_json(await _json_body(request))
        except ValidationError:
            raise Refusal.bad_request('Send {"seconds": number}, from 0 to ten years') from None
        self._simulator.clock.advance(timedelta(seconds=wanted.seconds))
        return web.json_response(self._now())

    async def _faults(self, request: web.Request) -> web.Response:
        check_host(request)
        return web.json_response({"struck": self._simulator.faults.struck()})

    async def _add_faults(self, request: web.Request) -> web.Response:
        try:
            script = FaultScript.model_validate_json(await _json_body(request))
        except ValidationError as error:
            mistakes = error.errors(include_url=False, include_input=False, include_context=False)
            named = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in mistakes[:5])
            raise Refusal.bad_request(f"Not a script of faults: {named}") from None
        self._simulator.faults.add(*script.http, *script.message)
        return web.json_response({"added": len(script.http) + len(script.message)}, status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        check_host(request)
        self._simulator.faults.clear()
        return web.json_response({})

    def _now(self) -> dict[str, str]:
        return {"now": self._simulator.clock.now().isoformat()}

    def _find(self, request: web.Request) -> Report:
        check_host(request)
        wanted = request.match_info["id"]
        report = next((one for one in self._simulator.reports() if one.id == wanted), None)
        if report is None:
            raise Refusal.not_found("There is no such report")
        return report


def _describe(report: Report, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "id": report.id,
        "messageType": report.message_type,
        "kind": _kind(report.message_type),
        "account": names.get(str(report.account_id)),
        "kontoId": str(report.account_id),
        "kommunenummer": report.kommunenummer,
        "bydelsnummer": report.bydelsnummer,
        "meldingIds": list(report.melding_ids),
        "tilstand": report.tilstand,
        "states": [
            {
                "tilstand": change.tilstand,
                "tidspunkt": change.tidspunkt.isoformat(),
                "beskrivelse": change.beskrivelse,
            }
            for change in report.states
        ],
        "receipts": len(report.receipts),
    }


def _kind(message_type: str) -> str | None:
    """`privat` or `offentlig`; None for what is no report's type."""
    return message_type.split(".")[-2] if message_type in REPORT_TYPES else None


def _describe_receipt(receipt: Receipt) -> dict[str, object]:
    return {
        "meldingId": receipt.melding_id,
        "messageType": receipt.message_type,
        "avsenderId": receipt.avsender_id,
        "klientMeldingId": receipt.klient_melding_id,
        "klientKorrelasjonsId": receipt.klient_korrelasjons_id,
        "tidspunkt": receipt.tidspunkt.isoformat(),
        "verdict": receipt.verdict,
        "feilmelding": receipt.feilmelding,
        "problem": receipt.problem,
    }


def check_host(request: web.Request) -> None:
    """Refuse a browser that a web page has led here under another name (DNS rebinding)."""
    name = request.host.rpartition(":")[0] if not request.host.endswith("]") else request.host
    if (name or request.host).lower() not in LOOPBACK_NAMES:
        raise Refusal.bad_request("The control API answers on loopback only")


async def _json_body(request: web.Request) -> bytes:
    check_host(request)
    # A page in a browser can send other types here without asking, but not this one.
    if request.content_type != "application/json":
        raise Refusal.bad_request("Send application/json")
    return await request.read()
