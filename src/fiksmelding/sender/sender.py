"""The sender: prepares reports, keeps them, and lets the road run in the background."""

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeVar

from fiksmelding import keys
from fiksmelding.alarms import AlarmKind, AlarmObserver, Alarms, tell_nobody
from fiksmelding.alarms.routing import AlarmRoutes
from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import Settings
from fiksmelding.envelope import Signer
from fiksmelding.errors import FiksmeldingError, NotJoined, SettingsError, UnknownReceiver
from fiksmelding.fiks import Catalog, FiksSession, Reports
from fiksmelding.journal.outbox import Order, Outbox, Outgoing
from fiksmelding.messages import Bekymringsmelding
from fiksmelding.monitoring import UNMEASURED, Telemetry, program_tracing
from fiksmelding.sender.addressing import Directory, Office
from fiksmelding.sender.follow_step import FollowStep
from fiksmelding.sender.preparing import Sealer
from fiksmelding.sender.progress import ProgressObserver, follow_nothing
from fiksmelding.sender.recipients import Pins, Recipients, checked, fingerprint, read_pins
from fiksmelding.sender.recording import Recorder
from fiksmelding.sender.road import Road
from fiksmelding.sender.sent import Sent
from fiksmelding.sender.steps import SendStep, StepObserver, watch_nothing
from fiksmelding.sender.submit_step import SubmitStep
from fiksmelding.sender.waits import CLOCKS_DIFFER, longest_waits
from fiksmelding.sender.watching import Watch
from fiksmelding.worker import LONGEST_LEASE, Backoff, Worker, watch_clock

log = logging.getLogger("fiksmelding.sender")

Part = TypeVar("Part")


class Sender:
    """Sends reports for one organisation, and follows each until it has arrived.

    ```python
    async with Sender(Settings.load("fiksmelding.toml")) as sender:
        sent = await sender.send(report, to="Bergen")
        async for progress in sent.progress():
            print(progress.at, progress.kind, progress.tilstand)
    ```

    While it is open, it hands over whatever is in the outbox and asks how it stands; what is left when it is closed
    goes on the next time.

    Args:
        settings: Account, platform, outbox (`[journal]`) and policies (`[sender]`).
        on_progress: Told of each event of each report, once it is durable.
        on_alarm: Told of what a person has to hear of, once; each is logged too, and sent where `[alarms]` says.
        observe: Told of each step; for tests.
        clock: Where the time is read.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        on_progress: ProgressObserver = follow_nothing,
        on_alarm: AlarmObserver = tell_nobody,
        observe: StepObserver = watch_nothing,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._on_progress = on_progress
        self._observe = observe
        self._clock: Clock = clock or SystemClock()
        self._routes = AlarmRoutes(settings.alarms, self._clock)
        self._alarms = Alarms(self._clock, on_alarm, self._routes)
        self._watch = Watch(self._clock)
        self._stack = AsyncExitStack()
        self._pins: Pins = {}
        self._organisation_id = ""
        self._sealer: Sealer | None = None
        self._signer: Signer | None = None
        self._catalog: Catalog | None = None
        self._outbox: Outbox | None = None
        self._directory: Directory | None = None
        self._worker: Worker[Outgoing] | None = None
        self._working: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the outbox, the keys and the session, and begin to work.

        Raises:
            SettingsError: A file is missing or wrong, or `account.organisation_id` is not set.
            JournalUnavailable: The outbox cannot be opened.
        """
        self._organisation_id = _organisation_id(self._settings)
        self._signer = await asyncio.to_thread(keys.signer, self._settings)
        self._pins = await asyncio.to_thread(read_pins, self._settings.sender.pinned_certificates)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._routes)
            outbox = Outbox(self._settings.journal, self._organisation_id)
            self._outbox = await stack.enter_async_context(outbox)
            session = await stack.enter_async_context(FiksSession(self._settings, clock=self._clock))
            reports = Reports(session)
            self._catalog = Catalog(session)
            self._directory = Directory(reports, self._clock)
            self._worker = self._make_worker(self._outbox, self._make_road(self._outbox, reports, self._directory))
            self._working = asyncio.create_task(self._work(self._worker), name="sender")
            stack.push_async_callback(self._stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Finish what is being handed over, and let go of everything. Closing twice does nothing.

        Raises:
            Exception: The work in the background has ended by a fault of ours.
        """
        await self._stack.aclose()

    @property
    def outbox(self) -> Outbox:
        """The outbox, to look things up in.

        Raises:
            FiksmeldingError: The sender is not open.
        """
        return _opened(self._outbox)

    async def send(
        self,
        report: Bekymringsmelding,
        *,
        to: str | None = None,
        district: str | None = None,
        key: str | None = None,
        pdf: bytes | None = None,
    ) -> Sent:
        """Seal a report and keep it in the outbox, from which it is handed over at once or as soon as that is possible.

        It goes out with the names of the office, the time, and our organisation as `leveringskanal`, whatever stood
        there; in version 1 where the receiver knows no other.

        Args:
            report: The report.
            to: The municipality, by number or name; the one that the report names when None.
            district: The office's number; when None, the one that the report names if it exists, else the standard one.
            key: Your own key for the report, such as the number of its case: sending twice under one key keeps it once.
                Give one; after a crash nothing else tells whether it was kept.
            pdf: Its PDF, when you have one of your own; made from the report when None. It goes to the print provider
                too, for the letter.

        Returns:
            A handle with an id that survives a crash. When this returns, the report is durable.

        Raises:
            UnknownReceiver: There is no such municipality or office, or the report names another one than `to`.
            NotJoined: The municipality takes no reports over this service; the text says what to do instead.
            KeyUnusable: A key is expired, revoked, unfit, or not the pinned one.
            ReportTooLarge: More than the platform takes.
            InvalidMessage: The service would refuse the report.
            PlatformError: Receiver or keys cannot be looked up now. Nothing was kept: the plain report must not be
                stored, and without the keys it cannot be sealed. Try again.
            JournalUnavailable: It could not be kept.
        """
        self._check_working()
        if key is not None and (known := await self._known(key)) is not None:
            return known
        office = await self.office(report, to=to, district=district)
        offered = await _opened(self._directory).keys(office.kommunenummer, office.bydel.bydelsnummer)
        now = self._clock.now()
        recipients = checked(offered, office, self._pins, now)
        self._warn_of_end(recipients, office)
        sealer = await self._sealer_with_name()
        ready = await asyncio.to_thread(sealer.filled, report, office, now)
        copies = await asyncio.to_thread(sealer.seal, ready, recipients, pdf)
        order = Order(
            organisation_id=self._organisation_id,
            message_type=ready.message_type.value,
            kommunenummer=office.kommunenummer,
            bydelsnummer=office.bydel.bydelsnummer,
            receiver=office.name,
            kept_at=now,
            keys_until=recipients.until,
            key_sha256=fingerprint(recipients.receiver),
            print_key_sha256=fingerprint(recipients.printer),
            key=key,
        )
        outgoing, repeated = await self.outbox.keep(order, copies)
        self._observe(SendStep.KEPT, outgoing.id)
        self._watch.notify()
        _opened(self._worker).wake()
        return self._sent(outgoing, repeated=repeated)

    async def office(self, report: Bekymringsmelding, *, to: str | None = None, district: str | None = None) -> Office:
        """Where `send` would send a report. Arguments and errors as there."""
        directory = _opened(self._directory)
        try:
            office = await directory.office(to or report.kommunenummer, district, likely=report.bydelsnummer)
        except NotJoined as error:
            self._alarms.sound(AlarmKind.NOT_JOINED, str(error))
            raise
        if office.kommunenummer != report.kommunenummer:
            raise UnknownReceiver(
                f"The report names municipality {report.kommunenummer}, and it was to go to {office.kommunenummer} "
                f"({office.kommunenavn}).",
                advice="Nothing was sent. Correct one of them.",
            )
        return office

    async def change(self) -> None:
        """Wait until something may have happened to some report."""
        await self._watch.change()

    async def find(self, sent_id: str) -> Sent:
        """A report that was sent before, by our id or the platform's.

        Raises:
            JournalError: The outbox holds none of that id.
        """
        return self._sent(await self.outbox.get(sent_id))

    async def _known(self, key: str) -> Sent | None:
        outgoing = await self.outbox.by_key(self._organisation_id, key)
        return None if outgoing is None else self._sent(outgoing, repeated=True)

    def _sent(self, outgoing: Outgoing, *, repeated: bool = False) -> Sent:
        return Sent(outgoing.id, repeated, self.outbox, self._watch)

    def _warn_of_end(self, recipients: Recipients, office: Office) -> None:
        days = timedelta(days=self._settings.sender.alarm_key_days)
        if recipients.until - self._clock.now() < days:
            text = (
                f"A key that reports to {office.name} are sealed for ends on {recipients.until:%Y-%m-%d}. "
                "If its owner uploads no new one, reports have to go another way from then on: tell KS."
            )
            self._alarms.sound(AlarmKind.KEY_ENDS_SOON, text)

    async def _sealer_with_name(self) -> Sealer:
        if self._sealer is None:
            name = self._settings.sender.organisation_name
            if name is None:
                account = await _opened(self._catalog).account(self._settings.account.id)
                name = account.fiks_org_navn or account.konto_navn
            if not name:
                raise SettingsError("The catalog does not know our name: set sender.organisation_name.")
            self._sealer = Sealer(_opened(self._signer), name)
        return self._sealer

    def _make_road(self, outbox: Outbox, reports: Reports, directory: Directory) -> Road:
        recorder = Recorder(
            outbox,
            self._settings.sender,
            self._clock,
            self._alarms,
            self._watch,
            self._on_progress,
            self._observe,
            Telemetry(tracing=program_tracing()) if self._settings.metrics.traces else UNMEASURED,
        )
        return Road(recorder, SubmitStep(recorder, reports, directory), FollowStep(recorder, reports))

    def _make_worker(self, outbox: Outbox, road: Road) -> Worker[Outgoing]:
        policy = self._settings.sender
        return Worker(
            journal=outbox,
            walk=road.walk,
            concurrency=policy.concurrency,
            backoff=Backoff(policy.retry_first_seconds, policy.retry_longest_seconds),
            clock=self._clock,
            lease_seconds=self._settings.journal.lease_seconds,
        )

    async def _work(self, worker: Worker[Outgoing]) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run(), name="worker")
            tasks.create_task(watch_clock(self._end_waits, self._clock, worker.wake), name="clock")

    async def _end_waits(self, at: datetime) -> int:
        """End what a wrong clock set."""
        longest_lease = timedelta(seconds=LONGEST_LEASE * self._settings.journal.lease_seconds)
        return await self.outbox.end_impossible_waits(
            at,
            longest_waits=longest_waits(self._settings.sender),
            longest_lease=longest_lease,
            clocks_differ=CLOCKS_DIFFER,
        )

    def _check_working(self) -> None:
        working = _opened(self._working)
        if working.done() and not working.cancelled():
            raise FiksmeldingError("The sender has stopped working.") from working.exception()

    async def _stop(self) -> None:
        worker, working = _opened(self._worker), _opened(self._working)
        working.cancel()
        await worker.drain(self._settings.sender.stop_seconds)
        await asyncio.wait([working])
        if not working.cancelled():
            working.result()


def _organisation_id(settings: Settings) -> str:
    if settings.account.organisation_id is None:
        raise SettingsError("account.organisation_id is missing: reports are submitted on behalf of it.")
    return str(settings.account.organisation_id)


def _opened(part: Part | None) -> Part:
    if part is None:
        raise FiksmeldingError("The sender is not open.", advice="Use it inside `async with`.")
    return part
