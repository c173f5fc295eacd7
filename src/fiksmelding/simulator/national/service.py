"""The national service: takes reports, sends each to its account, and follows it to `LEVERT` or to letter post."""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from fiksmelding.messages import MessageType
from fiksmelding.simulator.accounts import Account
from fiksmelding.simulator.background import Agenda
from fiksmelding.simulator.broker import Handed
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.documents import Documents
from fiksmelding.simulator.exchange import CUSTOM_HEADER, Exchange, SendMetadata
from fiksmelding.simulator.municipalities import Bydel, Kommune
from fiksmelding.simulator.national.book import ReportBook
from fiksmelding.simulator.national.letters import NotPrinted, PrintProvider
from fiksmelding.simulator.national.portal import SealedReport
from fiksmelding.simulator.national.reasons import ReasonReader
from fiksmelding.simulator.national.reports import Receipt, Report, Verdict
from fiksmelding.simulator.national.states import Tilstand
from fiksmelding.simulator.national.working_days import add_working_days
from fiksmelding.simulator.queues import QueuedMessage
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.state import NOWHERE, State
from fiksmelding.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["NationalService", "Submission"]

log = logging.getLogger(__name__)

TTL = timedelta(hours=24)
WORKING_DAYS_TO_ANSWER = 2
COPY_KEPT = timedelta(days=14)
# Written and read in both spellings (contract section 5): KS's Java client knows the second only.
CORRELATION = ("klientKorrelasjonsId", "klientKorrelasjonId")
COPY, RECEIPT, BY_HAND = "copy", "receipt", "by_hand"
DECIDING = {
    MessageType.MOTTATT: "Mottatt av fagsystemet",
    MessageType.FEILET: "Avvist av fagsystemet",
    MessageType.TIDSAVBRUDD: "Fagsystemet hentet ikke meldingen i tide",
    MessageType.SERVERFEIL: "Fagsystemet klarte ikke å ta imot meldingen",
}


@dataclass(frozen=True, slots=True)
class Submission:
    """A report handed in.

    Attributes:
        report_id: Its id.
        message_type: Its message type, as it will stand on the queue.
        kommune: The municipality it is for.
        bydel: The district it is for.
        sender_id: Fiks organisation id of who hands it in.
        sealed: The container for the account and the print copy.
    """

    report_id: str
    message_type: str
    kommune: Kommune
    bydel: Bydel
    sender_id: UUID
    sealed: SealedReport


class NationalService:
    """Consumes from its own account's queue like any other. Run `run` beside the rest.

    Args:
        account: Its account.
        exchange: By which it sends.
        documents: Where large bodies are.
        reasons: Who reads the text of a `feilet`.
        printer: The print provider.
        agenda: Where it notes what to do later.
        clock: The simulator's time.
        world: Whose districts a report of an earlier run is for.
        state: Where reports, their sealed copies and receipts not yet read are kept for the next run.
    """

    def __init__(
        self,
        *,
        account: Account,
        exchange: Exchange,
        documents: Documents,
        reasons: ReasonReader,
        printer: PrintProvider,
        agenda: Agenda,
        clock: SimulatorClock,
        world: World,
        state: State = NOWHERE,
    ) -> None:
        self._world = world
        self._state = state
        self._account = account
        self._exchange = exchange
        self._documents = documents
        self._reasons = reasons
        self._printer = printer
        self._agenda = agenda
        self._clock = clock
        self._copies: dict[str, SealedReport] = {}
        self._jobs: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._by_hand = {UUID(item.id) for item in state.all(BY_HAND)}
        self.book = ReportBook(state)

    def ready(self) -> bool:
        """It takes any number of messages at once."""
        return True

    def deliver(self, handed: Handed, /) -> None:
        """Take a message from its queue."""
        message, job_id = handed.message, str(uuid4())
        with self._state.together():
            self._state.put(RECEIPT, job_id, json.dumps(message.headers), message.body)
            handed.ack()
        self._jobs.put_nowait(partial(self._receive, message, job_id))

    async def run(self) -> None:
        """Work on what comes, in order, until cancelled."""
        while True:
            job = await self._jobs.get()
            await job()

    async def submit(self, submission: Submission) -> Report:
        """Take a report: store it and send it to its account.

        Raises:
            Refusal: 400 when the id was used before.
        """
        if self.book.get(submission.report_id) is not None:
            raise Refusal.bad_request(f"Bekymringsmelding {submission.report_id} er allerede sendt inn")
        report = Report(
            id=submission.report_id,
            message_type=submission.message_type,
            account_id=submission.bydel.account_id,
            kommunenummer=submission.kommune.kommunenummer,
            bydelsnummer=submission.bydel.bydelsnummer,
            sender_id=submission.sender_id,
        )
        with self._state.together():
            self._keep_copy(submission.report_id, submission.sealed)
            self._move(report, Tilstand.AKSEPTERT)
        self._set_deadline(self._report(report.id))
        await self._send(submission)
        return self._report(report.id)

    def resume(self) -> None:
        """Go on with the reports of an earlier run."""
        for item in self._state.all(COPY):
            asice = item.body[: int(item.data)]
            self._copies[item.id] = SealedReport(asice, item.body[int(item.data) :] or None)
        for item in self._state.all(RECEIPT):
            message = QueuedMessage(json.loads(item.data), item.body)
            self._jobs.put_nowait(partial(self._receive, message, item.id))
        for report in self.book.all():
            self._resume(report)

    def _resume(self, report: Report) -> None:
        match report.tilstand:
            case Tilstand.AKSEPTERT:
                self._set_deadline(report)
                self._jobs.put_nowait(partial(self._send, self._submission(report)))
            case Tilstand.SENDT_FAGSYSTEM:
                self._set_deadline(report)
            case Tilstand.SENDT_PRINT:
                self._jobs.put_nowait(partial(self._print, report.id))
            case Tilstand.LEVERT:
                self._agenda.at(report.states[-1].tidspunkt + COPY_KEPT, partial(self._delete_copy, report.id))

    def _set_deadline(self, report: Report) -> None:
        deadline = add_working_days(report.states[0].tidspunkt, WORKING_DAYS_TO_ANSWER)
        self._agenda.at(deadline, partial(self._give_up, report.id))

    def _submission(self, report: Report) -> Submission:
        kommune = self._world.kommuner[report.kommunenummer]
        bydel = kommune.bydel(report.bydelsnummer)
        if bydel is None:
            raise LookupError(report.bydelsnummer)
        sealed = self._copies[report.id]
        return Submission(report.id, report.message_type, kommune, bydel, report.sender_id, sealed)

    def _keep_copy(self, report_id: str, sealed: SealedReport) -> None:
        self._copies[report_id] = sealed
        self._state.put(COPY, report_id, str(len(sealed.asice)), sealed.asice + (sealed.print_copy or b""))

    def has_case_system(self, account_id: UUID, *, has: bool) -> None:
        """Say whether a municipality has a case system; where there is none, a person fetches reports in a browser."""
        if has:
            self._by_hand.discard(account_id)
            self._state.remove(BY_HAND, str(account_id))
        else:
            self._by_hand.add(account_id)
            self._state.put(BY_HAND, str(account_id))

    def fetch_by_hand(self, report_id: str) -> bytes:
        """What a person gets who fetches a report in a browser: the container, sealed for the municipality's key.

        Raises:
            Refusal: 404 when there is no such report, 400 when it does not wait to be fetched.
        """
        report = self.book.get(report_id)
        if report is None:
            raise Refusal.not_found(f"Fant ingen bekymringsmelding med id {report_id}")
        if report.tilstand is not Tilstand.SENDT_FAGSYSTEM or report.melding_ids:
            raise Refusal.bad_request(f"Bekymringsmelding {report_id} ligger ikke til nedlasting")
        envelope = self._copies[report_id].asice
        self._delivered(report_id, "Lastet ned av kommunen")
        return envelope

    def holds_copy(self, report_id: str) -> bool:
        """Whether the platform still has its copy of a report."""
        return report_id in self._copies

    async def _send(self, submission: Submission) -> None:
        if submission.bydel.account_id in self._by_hand:
            report = self._report(submission.report_id)
            self._move(report, Tilstand.SENDT_FAGSYSTEM, "Ligger til nedlasting")
            return
        own_ids = {"bekymringsmelding-id": submission.report_id, "bydel-ressurs-id": str(submission.bydel.ressurs_id)}
        metadata = SendMetadata(
            avsender_konto_id=self._account.id,
            mottaker_konto_id=submission.bydel.account_id,
            melding_type=submission.message_type,
            ttl=TTL // timedelta(milliseconds=1),
            headere={"klientMeldingId": str(uuid4()), **dict.fromkeys(CORRELATION, submission.report_id), **own_ids},
        )
        async with self._documents.incoming() as incoming:
            await incoming.write(submission.sealed.asice)
            body = await incoming.finish()
            report = self._report(submission.report_id)
            with self._state.together():
                try:
                    # Both plain and among the custom headers: real clients look for either.
                    sent = self._exchange.send_as(self._account, metadata, body, extra=own_ids)
                except Refusal as refusal:
                    self._move(report, Tilstand.SENDT_FAGSYSTEM)
                    self._send_by_letter(report.id, refusal.message)
                else:
                    self._move(report.sent_as(str(sent.melding_id)), Tilstand.SENDT_FAGSYSTEM)

    async def _receive(self, message: QueuedMessage, job_id: str) -> None:
        """Read a receipt, and forget it as what is left to read when it stands in the book."""
        text, problem = None, ""
        if message.headers.get("type") == MessageType.FEILET:
            text, problem = await self._reasons.read(message)
        with self._state.together():
            self._enter_receipt(message, text, problem)
            self._state.remove(RECEIPT, job_id)

    def _enter_receipt(self, message: QueuedMessage, text: str | None, problem: str) -> None:
        report = self.book.answered(message.headers.get("svar-til", ""))
        kind = message.headers.get("type", "")
        if report is None or kind not in DECIDING:
            log.info("message %s answers no report", message.headers.get("melding-id"))
            return
        receipt = Receipt(
            melding_id=message.headers.get("melding-id", ""),
            message_type=kind,
            avsender_id=message.headers.get("avsender-id", ""),
            klient_melding_id=message.headers.get(CUSTOM_HEADER + "klientMeldingId"),
            klient_korrelasjons_id=_correlation(message),
            tidspunkt=self._clock.now(),
            verdict=self._judge(report, message),
            feilmelding=text,
            problem=problem,
        )
        self.book.put(report.with_receipt(receipt))
        log.info("report %s has a receipt %s: %s", report.id, kind, receipt.verdict.value)
        if receipt.verdict is Verdict.BELIEVED:
            self._decide(report.id, MessageType(kind))

    def _judge(self, report: Report, message: QueuedMessage) -> Verdict:
        if message.headers.get("avsender-id") != str(report.account_id):
            return Verdict.STRANGER
        return Verdict.BELIEVED if report.tilstand is Tilstand.SENDT_FAGSYSTEM else Verdict.REPEATED

    def _decide(self, report_id: str, kind: MessageType) -> None:
        if kind is MessageType.MOTTATT:
            self._delivered(report_id, DECIDING[kind])
        else:
            self._send_by_letter(report_id, DECIDING[kind])

    def _give_up(self, report_id: str) -> None:
        if self._report(report_id).tilstand is Tilstand.SENDT_FAGSYSTEM:
            self._send_by_letter(report_id, "Ingen kvittering innen to virkedager")

    def _send_by_letter(self, report_id: str, reason: str) -> None:
        with self._state.together():
            self._move(self._report(report_id), Tilstand.AVVIST_FAGSYSTEM, reason)
            self._move(self._report(report_id), Tilstand.SENDT_PRINT)
        self._jobs.put_nowait(partial(self._print, report_id))

    async def _print(self, report_id: str) -> None:
        sealed = self._copies[report_id].print_copy if report_id in self._copies else None
        try:
            await self._printer.print(report_id, sealed)
        except (NotPrinted, OSError) as error:
            log.warning("report %s cannot be printed: %s", report_id, type(error).__name__)
            self._move(self._report(report_id), Tilstand.AVVIST_PRINT, "Brevet kunne ikke skrives ut")
        else:
            self._delivered(report_id, "Sendt som brev")

    def _delivered(self, report_id: str, how: str) -> None:
        self._move(self._report(report_id), Tilstand.LEVERT, how)
        self._agenda.at(self._clock.now() + COPY_KEPT, partial(self._delete_copy, report_id))

    def _delete_copy(self, report_id: str) -> None:
        if self._copies.pop(report_id, None) is not None:
            self._state.remove(COPY, report_id)
            log.info("the platform's copy of report %s is deleted", report_id)

    def _move(self, report: Report, tilstand: Tilstand, beskrivelse: str = "") -> None:
        self.book.put(report.moved_to(tilstand, self._clock.now(), beskrivelse))
        log.info("report %s is %s", report.id, tilstand.value)

    def _report(self, report_id: str) -> Report:
        report = self.book.get(report_id)
        if report is None:
            raise LookupError(report_id)
        return report


def _correlation(message: QueuedMessage) -> str | None:
    return next((found for name in CORRELATION if (found := message.headers.get(CUSTOM_HEADER + name))), None)
