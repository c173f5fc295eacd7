"""The receiving side: reports come from the platform, receivers hand them to a case system, and answer."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from chaos.case_system import CaseSystem, write_misbehaviours
from chaos.faults import Kind, Target
from chaos.fleet import Fleet, Orders
from chaos.ground import ACCOUNTS, Ground
from chaos.narrator import Narrator
from chaos.plan import Fault, Plan
from chaos.receiver_judge import Answer, Sending, judge
from chaos.side import Standing
from chaos.supply import Supply
from chaos.verdict import Verdict
from fiksmelding.messages import MessageType
from fiksmelding.simulator import HttpFault, MessageFault

__all__ = ["Receiving"]

SEND = "/fiks-io/api/v1/send"
REPORTS = "no.ks.fiks.bekymringsmelding."
LATE_SECONDS = 6.0
QUIET_SECONDS = 2.0
LONG_QUIET_SECONDS = 20.0

ON_SENDING: Mapping[Kind, HttpFault] = MappingProxyType(
    {
        Kind.STATUS_500: HttpFault(path=SEND, status=500, times=2),
        Kind.STATUS_503: HttpFault(path=SEND, status=503, times=3),
        Kind.STATUS_429: HttpFault(path=SEND, status=429, retry_after_seconds=1, times=2),
        Kind.DROP_BEFORE: HttpFault(path=SEND, connection="reset"),
        Kind.DROP_AFTER: HttpFault(path=SEND, connection="reset_after"),
        Kind.SLOW: HttpFault(path=SEND, delay_seconds=LATE_SECONDS),
    }
)


class Receiving:
    """Receivers under test; see `SideUnderTest`."""

    def __init__(self, plan: Plan, ground: Ground, fleet: Fleet) -> None:
        self._plan = plan
        self._ground = ground
        self._supply = Supply(ground.fiks, plan)
        self.fleet = fleet

    @classmethod
    @asynccontextmanager
    async def opened(cls, plan: Plan, ground: Ground, narrator: Narrator) -> AsyncIterator["Receiving"]:
        """Begin: the receivers start at once."""
        cases, misbehaviours = _cases(ground), ground.folder / "misbehaviours.json"
        write_misbehaviours(misbehaviours, plan.misbehaviours())
        orders = Orders(
            name="receiver",
            module="chaos.receiver_process",
            words=[ground.settings, cases, misbehaviours, *(["--broken"] if plan.options.broken else [])],
            environment=ground.environment,
            folder=ground.folder,
        )
        async with Fleet(plan.options.processes, orders, narrator.tell) as fleet:
            yield cls(plan, ground, fleet)

    def ordered(self, fault: Fault) -> Sequence[HttpFault | MessageFault]:
        """What the platform has to do wrong for a fault; nothing when this side strikes itself."""
        fiks, account = self._ground.fiks, self._ground.fiks.party(ACCOUNTS["receiver"]).account.id
        match fault.kind:
            case Kind.NO_TOKEN:
                return [HttpFault(path=f"{urlsplit(fiks.issuer).path}token", status=503, times=2)]
            case Kind.TWICE:
                return [MessageFault(effect="duplicate", account=account, message_type=REPORTS)]
            case Kind.OUT_OF_ORDER:
                late = max(fault.seconds, 1.0)
                return [MessageFault(effect="delay", account=account, message_type=REPORTS, delay_seconds=late)]
            case Kind.RESEND:
                return []
            case _:
                return [ON_SENDING[fault.kind]]

    def provoke(self, fault: Fault) -> None:
        """Whoever has a connection needs no token."""
        if fault.kind is Kind.NO_TOKEN:
            self._ground.ways[Target.WAY_TO_BROKER].cut()

    async def strike(self, fault: Fault) -> bool:
        """A report is sent once more; or the broker is away."""
        if fault.target is Target.BROKER:
            await self._on_broker(fault)
        else:
            self._resend(fault.after)
        return True

    async def submit(self) -> str:
        """Let the platform send the next report."""
        return await self._supply.submit()

    def progress(self) -> str:
        """How many answers there are."""
        return f"{len(self._ground.fiks.taken())} answers taken"

    async def standing(self) -> Standing:
        """Over when every sending is answered and nothing more comes."""
        answers = self._ground.fiks.taken()
        answered = {str(answer.svar_pa_melding) for answer in answers}
        unanswered = [one for one in self._sendings() if one.melding_id not in answered]
        open_ones = [one for one in unanswered if not one.given_up]
        # What the platform gave up may have been kept all the same, and is answered then: only waiting tells.
        return Standing(len(answers), len(open_ones), LONG_QUIET_SECONDS if unanswered else QUIET_SECONDS)

    async def verdict(self) -> tuple[Verdict, Mapping[int, int]]:
        """Compare the case system's record with the platform's."""
        with CaseSystem(_cases(self._ground)) as record:
            calls, cases = record.calls(), record.cases()
        answers = [
            Answer(
                svar_til=str(answer.svar_pa_melding or ""),
                message_type=answer.melding_type,
                klient_melding_id=answer.klient_melding_id,
                taken_at=self._ground.monotonic(answer.taken_at),
            )
            for answer in self._ground.fiks.taken()
        ]
        misbehaved = {call.key: call.asked_at for call in calls if call.misbehaviour is not None}
        struck = {
            fault.number: misbehaved[self._plan.report_ids[fault.after - 1]]
            for fault in self._plan.faults
            if fault.target is Target.HANDLER and self._plan.report_ids[fault.after - 1] in misbehaved
        }
        return judge(self._sendings(), calls, cases, answers), struck

    def _sendings(self) -> Sequence[Sending]:
        sendings = []
        for report_id, submitted in self._supply.submitted.items():
            report = self._ground.fiks.report(report_id)
            given_up = any(receipt.message_type == MessageType.SERVERFEIL for receipt in report.receipts)
            sendings += [
                Sending(melding_id, report_id, submitted.content, given_up) for melding_id in report.melding_ids
            ]
        return sendings

    async def _on_broker(self, fault: Fault) -> None:
        broker = self._ground.broker
        if broker is None or fault.kind is Kind.SEVER:
            await self._ground.fiks.sever_connections()
        elif fault.kind is Kind.KILL:
            await broker.kill(fault.seconds)
        else:
            await broker.restart(fault.seconds)

    def _resend(self, number: int) -> None:
        """Send a report once more, as a sender does that had no answer: under a new `melding-id`."""
        fiks, report_id = self._ground.fiks, self._plan.report_ids[number - 1]
        submitted = self._supply.submitted[report_id]
        melding_id = str(uuid.uuid4())
        headers = {
            "melding-id": melding_id,
            "type": submitted.message_type.value,
            "avsender-id": str(fiks.platform.world.national.account.id),
            "bekymringsmelding-id": report_id,
        }
        book = fiks.platform.national.book
        book.put(fiks.report(report_id).sent_as(melding_id))
        fiks.put_on_queue(ACCOUNTS["receiver"], headers=headers, body=submitted.envelope)


def _cases(ground: Ground) -> Path:
    return ground.folder / "case-system.db"
