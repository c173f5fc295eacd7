"""A road with a real journal and real envelopes; only the platform and the clock are stand-ins."""

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from fiksmelding.alarms import Alarm, Alarms
from fiksmelding.clock import Clock
from fiksmelding.envelope import Signer, Trust, open_envelope, seal
from fiksmelding.errors import FiksmeldingError, Reject
from fiksmelding.fiks import SentMessage
from fiksmelding.journal import Arrival, Entry, Journal
from fiksmelding.monitoring import UNMEASURED, Telemetry
from fiksmelding.receiver.answering import Answering
from fiksmelding.receiver.confirm_step import ConfirmStep
from fiksmelding.receiver.notice_step import NoticeStep
from fiksmelding.receiver.open_step import OpenStep
from fiksmelding.receiver.opening import Opener
from fiksmelding.receiver.outage import Outage
from fiksmelding.receiver.pace import Pace
from fiksmelding.receiver.receipt_step import ReceiptStep
from fiksmelding.receiver.recording import Recorder
from fiksmelding.receiver.recover_step import RecoverStep
from fiksmelding.receiver.register_step import RegisterStep
from fiksmelding.receiver.report import Confirm, Handler, Registered, Report
from fiksmelding.receiver.road import Road
from fiksmelding.receiver.steps import Step
from fiksmelding.receiver.turns import Turns
from fiksmelding.simulator.pki import Credential
from fiksmelding.worker import Backoff
from support.arrivals import arrival
from support.clocks import StillClock

PRIVAT = {
    "kommunenummer": "4601",
    "kommunenavn": "Bergen",
    "bydelsnummer": "02",
    "bydelsnavn": "Bergenhus",
    "privatMelder": {"personnavn": "Nabo Naboesen"},
    "privatBarn": [{"personnavn": "Lille Testesen", "adresse": {"adresselinje1": "Liaveien 12"}}],
    "melding": "Hemmelig innhold i meldingen.",
    "sendingstidspunkt": "2026-03-02T09:15:00",
    "leveringskanal": "Test",
}


def privat_json(text: str = "Hemmelig innhold i meldingen.") -> bytes:
    """A report that every privat schema accepts."""
    return json.dumps({**PRIVAT, "melding": text}, ensure_ascii=False).encode()


@dataclass
class Sent:
    """A receipt that the platform took."""

    melding_type: str
    mottaker_konto_id: UUID
    svar_paa_melding: UUID | None
    headers: Mapping[str, str]
    body: bytes | None
    melding_id: UUID = field(default_factory=uuid4)


@dataclass
class Platform:
    """Takes receipts, or raises what it is told to raise first."""

    certificate: x509.Certificate
    sent: list[Sent] = field(default_factory=list)
    troubles: list[FiksmeldingError] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    async def send(
        self,
        *,
        melding_type: str,
        mottaker_konto_id: UUID,
        svar_paa_melding: UUID | None = None,
        ttl: timedelta | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> SentMessage:
        self.tried.append((headers or {})["klientMeldingId"])
        if self.troubles:
            raise self.troubles.pop(0)
        taken = Sent(melding_type, mottaker_konto_id, svar_paa_melding, headers or {}, body)
        self.sent.append(taken)
        return SentMessage(melding_id=taken.melding_id, dokumentlager_id=None)

    async def public_key(self, konto_id: UUID) -> x509.Certificate:
        return self.certificate


def never_out(journal: Journal, clock: Clock, alarms: Alarms) -> Outage:
    """The outages of a journal under a receiver that has no queue."""

    async def nothing_to_pause() -> None:
        pass

    return Outage(
        journal=journal,
        clock=clock,
        backoff=Backoff(1.0, 30.0),
        alarms=alarms,
        pause=nothing_to_pause,
        resume=nothing_to_pause,
    )


class CaseSystem:
    """A handler that stores in memory, after the troubles it is given."""

    def __init__(self) -> None:
        self.troubles: list[BaseException] = []
        self.calls: list[tuple[str, int, bool]] = []
        self.stored: dict[str, bytes | None] = {}
        self.structured: dict[str, bool] = {}
        self.hang = False
        self._refusal: str | None = None

    def reject(self, reason: str) -> None:
        """Refuse whatever comes."""
        self._refusal = reason

    async def __call__(self, report: Report) -> Registered:
        self.calls.append((report.id, report.attempt, report.repeat))
        if self.hang:
            await asyncio.Event().wait()
        if self.troubles:
            raise self.troubles.pop(0)
        if self._refusal is not None:
            raise Reject(self._refusal)
        self.stored[report.id] = await report.json()
        self.structured[report.id] = report.structured
        return Registered(reference=f"case-{len(self.stored)}")


class Journeys:
    """Keeps messages and walks them."""

    def __init__(
        self,
        journal: Journal,
        sender: Credential,
        recipient: Credential,
        *,
        handler: Handler,
        confirm: Confirm | None = None,
        unstructured: bool = True,
        timeout: float = 30.0,
        trust: Trust | None = None,
        concurrency: int = 4,
        telemetry: Telemetry = UNMEASURED,
    ) -> None:
        self.journal = journal
        self.clock = StillClock()
        self.sender = sender
        self.recipient = recipient
        self.platform = Platform(sender.certificate)
        self.steps: list[Step] = []
        self.alarms: list[Alarm] = []
        alarms = Alarms(self.clock, self.alarms.append)
        outage = never_out(journal, self.clock, alarms)
        self.turns = Turns(Pace(concurrency), self.clock, alarms, changed=lambda: None)
        recorder = Recorder(journal, self.clock, Backoff(1.0, 300.0), self._observe, alarms, outage, telemetry)
        self.keys = [recipient.key]
        opener = Opener(journal, self.keys, trust or Trust())
        answering = Answering(self.platform, self.platform, Signer(recipient.key, recipient.certificate))
        self.road = Road(
            recorder=recorder,
            opener=opener,
            turns=self.turns,
            open=OpenStep(recorder, journal, opener, "hand_on" if unstructured else "reject"),
            register=RegisterStep(recorder, journal, handler, timeout, self.turns, confirm is not None),
            confirm=ConfirmStep(recorder, confirm, timeout, self.turns),
            receipt=ReceiptStep(recorder, answering),
            notice=NoticeStep(recorder, journal, resends=2),
            recover=RecoverStep(recorder, journal, handler, confirm, timeout, self.turns),
        )

    def _observe(self, step: Step, _entry_id: str) -> None:
        self.steps.append(step)

    def sealed(self, files: Mapping[str, bytes]) -> bytes:
        out = io.BytesIO()
        signer = Signer(self.sender.key, self.sender.certificate, self.sender.chain)
        seal(files, signer=signer, recipient=self.recipient.certificate, out=out)
        return out.getvalue()

    def report(self, json_bytes: bytes | None = None) -> bytes:
        return self.sealed(
            {
                "bekymringsmelding.json": privat_json() if json_bytes is None else json_bytes,
                "bekymringsmelding.pdf": b"%PDF-1.7 a test",
            }
        )

    async def keep(self, body: bytes, delivery: Arrival | None = None) -> Entry:
        kept = await self.journal.keep(delivery or arrival(received_at=self.clock.now()), body)
        return await self.journal.entry(kept.entry_id)

    def add_key(self, key: rsa.RSAPrivateKey) -> None:
        """Configure another private key."""
        self.keys.append(key)

    def resend(self, klient_melding_id: str) -> Arrival:
        """A delivery that says it repeats others of that id."""
        return arrival(klient_melding_id=klient_melding_id, received_at=self.clock.now())

    async def walk(self, entry: Entry) -> Entry:
        """Walk an entry as far as it goes now."""
        await self.road.walk(await self.journal.entry(entry.id))
        return await self.journal.entry(entry.id)

    async def walk_later(self, entry: Entry) -> Entry:
        """Walk it when it is due next."""
        now = await self.journal.entry(entry.id)
        assert now.due_at is not None, "it waits for a person"
        self.clock.advance(max(timedelta(0), now.due_at - self.clock.now()))
        return await self.walk(now)

    def read_feilmelding(self, sent: Sent) -> dict[str, str]:
        assert sent.body is not None
        with open_envelope(io.BytesIO(sent.body), keys=[self.sender.key]) as envelope:
            content: dict[str, str] = json.loads(envelope.files["feilmelding.json"].read())
        return content
