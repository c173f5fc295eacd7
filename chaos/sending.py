"""The sending side: a system that reports asks senders to send, and municipalities fetch what arrives."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from urllib.parse import urlsplit

from chaos.caller import Caller
from chaos.faults import Kind, Target
from chaos.fleet import Fleet, Orders
from chaos.ground import ACCOUNTS, Ground
from chaos.municipalities import Arrived, Municipalities
from chaos.narrator import Narrator
from chaos.plan import Fault, Plan
from chaos.sender_judge import Acceptance, Claim, Wanted, judge
from chaos.side import Standing
from chaos.verdict import Verdict
from fiksmelding.config import Settings
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import EventKind
from fiksmelding.journal.outbox import Outbox, Outgoing, OutgoingState
from fiksmelding.sender import SendStep
from fiksmelding.simulator import HttpFault
from fiksmelding.simulator.national.reports import Report
from fiksmelding.simulator.national.states import Tilstand

__all__ = ["Sending"]

API = "/bekymringsmelding/api/"
LATE_SECONDS = 6.0
QUIET_SECONDS = 3.0
UNDER_WAY = (OutgoingState.QUEUED, OutgoingState.SUBMITTING, OutgoingState.UNCERTAIN, OutgoingState.ACCEPTED)

ON_SUBMITTING: Mapping[Kind, HttpFault] = MappingProxyType(
    {
        Kind.STATUS_500: HttpFault(path=API, method="POST", status=500, times=2),
        Kind.STATUS_503: HttpFault(path=API, method="POST", status=503, times=3),
        Kind.STATUS_429: HttpFault(path=API, method="POST", status=429, retry_after_seconds=1, times=2),
        Kind.STATUS_401: HttpFault(path=API, method="POST", status=401, times=4),
        Kind.STATUS_403: HttpFault(path=API, method="POST", status=403, times=2),
        Kind.DROP_BEFORE: HttpFault(path=API, method="POST", connection="reset"),
        Kind.DROP_AFTER: HttpFault(path=API, method="POST", connection="reset_after"),
        Kind.HALF_ANSWER: HttpFault(path=API, method="POST", body="cut"),
        Kind.SLOW: HttpFault(path=API, method="POST", delay_seconds=LATE_SECONDS),
    }
)
STEPS: Mapping[Kind, SendStep] = MappingProxyType(
    {
        Kind.DIES_KEPT: SendStep.KEPT,
        Kind.DIES_SUBMITTING: SendStep.SUBMITTING,
        Kind.DIES_HANDED_OVER: SendStep.HANDED_OVER,
        Kind.DIES_ACCEPTED: SendStep.ACCEPTED,
        Kind.DIES_STATUS: SendStep.STATUS,
        Kind.DIES_DELIVERED: SendStep.DELIVERED,
    }
)


class Sending:
    """Senders under test; see `SideUnderTest`."""

    def __init__(self, ground: Ground, caller: Caller, municipalities: Municipalities, fleet: Fleet) -> None:
        self._ground = ground
        self._caller = caller
        self._municipalities = municipalities
        self._journal = Settings.load(ground.settings, environment=ground.environment).journal
        self.fleet = fleet

    @classmethod
    @asynccontextmanager
    async def opened(cls, plan: Plan, ground: Ground, narrator: Narrator) -> AsyncIterator["Sending"]:
        """Begin: the senders start at once."""
        async with Municipalities(ground.fiks, plan.options.seed) as municipalities, Caller(plan) as caller:
            orders = Orders(
                name="sender",
                module="chaos.sender_process",
                words=[ground.settings, *(["--broken"] if plan.options.broken else [])],
                environment=ground.environment,
                folder=ground.folder,
                listener=caller.hear,
            )
            async with Fleet(plan.options.processes, orders, narrator.tell) as fleet:
                caller.reach(fleet.order)
                yield cls(ground, caller, municipalities, fleet)

    def ordered(self, fault: Fault) -> Sequence[HttpFault]:
        """The faults that the platform has of itself."""
        if fault.target is Target.STATUS:
            return self._on_status(fault.kind)
        if fault.kind not in {Kind.NO_TOKEN, Kind.TOKEN_ENDS}:
            return [ON_SUBMITTING[fault.kind]]
        path = f"{urlsplit(self._ground.fiks.issuer).path}token"
        if fault.kind is Kind.TOKEN_ENDS:
            return [HttpFault(path=path, token_seconds=0)]
        return [HttpFault(path=path, status=503, times=2)]

    def provoke(self, fault: Fault) -> None:
        """Whoever has a token fetches another only when the one it has is refused."""
        if fault.kind in {Kind.NO_TOKEN, Kind.TOKEN_ENDS}:
            self._ground.fiks.faults.add(HttpFault(path=API, method="POST", status=401))

    async def strike(self, fault: Fault) -> bool:
        """A sender dies at a step; or nobody fetches what has arrived."""
        if fault.target is Target.STATUS:
            await self._municipalities.rest(fault.seconds)
            return True
        return await self.fleet.ends_by_itself(fault.process, f"die {STEPS[fault.kind].value}")

    async def submit(self) -> str:
        """Ask for the next report to be sent."""
        return await self._caller.submit()

    def progress(self) -> str:
        """How many reports have come where."""
        return f"{len(self._ground.fiks.reports())} accepted, {len(self._municipalities.arrived)} fetched"

    async def standing(self) -> Standing:
        """Over when each report has an id, is followed to its end or told to be uncertain, and nothing more comes."""
        self._municipalities.check()
        self._caller.check()
        try:
            async with Outbox(self._journal) as outbox:
                going = await outbox.count(*UNDER_WAY)
        except JournalUnavailable:  # its server may be putting itself in order yet
            going = 1
        return Standing(len(self._caller.statements), self._caller.unanswered + going, QUIET_SECONDS)

    async def verdict(self) -> tuple[Verdict, Mapping[int, int]]:
        """Compare what was asked for, what the platform took, and what the outbox says."""
        wanted = [Wanted(key, one.content, frozenset(one.sent_ids)) for key, one in self._caller.asked.items()]
        taken = [self._acceptance(report) for report in self._ground.fiks.reports()]
        return judge(wanted, taken, await self._claims(), self._caller.statements), {}

    def _on_status(self, kind: Kind) -> Sequence[HttpFault]:
        organisation = self._ground.fiks.party(ACCOUNTS["sender"]).account.organisation.id
        path = f"{API}v2/mottak/fagsystem/{organisation}/bekymringsmelding/"
        ordered = {
            # Often enough to outlast the attempts of one question.
            Kind.STATUS_500: HttpFault(path=path, status=500, times=6),
            Kind.DROP_AFTER: HttpFault(path=path, connection="reset_after", times=6),
            Kind.SLOW: HttpFault(path=path, delay_seconds=LATE_SECONDS, times=2),
            Kind.GOES_BACK: HttpFault(path=path, states="all_but_newest", times=2),
            Kind.FORGOTTEN: HttpFault(path=path, states="none", times=2),
        }
        return [ordered[kind]] if kind in ordered else []

    def _acceptance(self, report: Report) -> Acceptance:
        arrived = self._municipalities.arrived.get(report.id, Arrived("", ""))
        delivered = [change.tidspunkt for change in report.states if change.tilstand is Tilstand.LEVERT]
        return Acceptance(
            report_id=report.id,
            content=arrived.content,
            sealed=arrived.sealed,
            taken_at=self._ground.monotonic(report.states[0].tidspunkt),
            delivered_at=self._ground.monotonic(delivered[0]) if delivered else None,
        )

    async def _claims(self) -> Sequence[Claim]:
        async with Outbox(self._journal) as outbox:
            return [await _claim(outbox, outgoing) for outgoing in await outbox.list()]


async def _claim(outbox: Outbox, outgoing: Outgoing) -> Claim:
    repetitions = 0
    if outgoing.uncertain:
        events = await outbox.events(outgoing.id)
        handed = [event for event in events if event.kind is EventKind.SUBMITTING]
        repetitions = sum("possible_repetition" in event.detail for event in handed)
    return Claim(
        sent_id=outgoing.id,
        key=outgoing.order.key or "",
        state=outgoing.state.value,
        report_id=outgoing.report_id,
        uncertain=outgoing.uncertain,
        repetitions=repetitions,
    )
