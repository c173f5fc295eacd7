"""The receiver: opens everything it needs, lets the road run, and stops in order."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from fiksmelding import keys
from fiksmelding.alarms import AlarmObserver, Alarms, tell_nobody
from fiksmelding.alarms.routing import AlarmRoutes
from fiksmelding.broker import Consumer, ConsumerState, ConsumerStatus, Delivery
from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import Settings
from fiksmelding.consuming import account_consumer
from fiksmelding.envelope import DecryptionKey, Signer, Trust
from fiksmelding.errors import (
    BrokerAccessRefused,
    BrokerUnavailable,
    FiksmeldingError,
    JournalUnavailable,
)
from fiksmelding.fiks import Catalog, Documents, FiksSession, Outbound
from fiksmelding.journal import Entry, Journal
from fiksmelding.monitoring import UNMEASURED, Telemetry, program_tracing
from fiksmelding.receiver.answering import Answering
from fiksmelding.receiver.canary import CanaryPerch, CanarySending
from fiksmelding.receiver.canary_watch import CanaryWatch
from fiksmelding.receiver.confirm_step import ConfirmStep
from fiksmelding.receiver.keeping import Keeper
from fiksmelding.receiver.notice_step import NoticeStep
from fiksmelding.receiver.open_step import OpenStep
from fiksmelding.receiver.opening import Opener
from fiksmelding.receiver.outage import Outage
from fiksmelding.receiver.policy import look_backoff, pace, retry_backoff
from fiksmelding.receiver.queue import PacedQueue
from fiksmelding.receiver.receipt_step import ReceiptStep
from fiksmelding.receiver.recording import Recorder
from fiksmelding.receiver.recover_step import RecoverStep
from fiksmelding.receiver.register_step import RegisterStep
from fiksmelding.receiver.report import Confirm, Handler
from fiksmelding.receiver.retention import Retention
from fiksmelding.receiver.road import Road
from fiksmelding.receiver.status import ReceiverStatus
from fiksmelding.receiver.steps import Observer, watch_nothing
from fiksmelding.receiver.turns import Turns
from fiksmelding.receiver.unread_watch import Read, UnreadWatch
from fiksmelding.receiver.unread_webhook import unread_webhook
from fiksmelding.worker import CLOCKS_DIFFER_SECONDS, LONGEST_LEASE, Backoff, Worker, watch_clock

if TYPE_CHECKING:
    from fiksmelding.receiver.monitor import Monitor

log = logging.getLogger("fiksmelding.receiver")

HOUSEKEEPING_SECONDS = 3600.0
NO_CONNECTION_SECONDS = 60.0

Part = TypeVar("Part")


class Receiver:
    """Receives reports for one account.

    ```python
    async with Receiver(Settings.load("fiksmelding.toml"), register) as receiver:
        await receiver.run()
    ```

    Args:
        settings: Account, platform, broker, journal and policies.
        handler: Stores a report in the case system; see `Handler`.
        confirm: Reads back whether it is there, before a receipt goes out. Recommended.
        read: Tells which of some references somebody has opened; those that nobody does raise the alarm.
        observe: Told of each step of each entry, right after it.
        alarm: Told of what a person has to hear of, once; each is logged too, and sent where `[alarms]` says.
        clock: Where the time is read.
    """

    def __init__(
        self,
        settings: Settings,
        handler: Handler,
        *,
        confirm: Confirm | None = None,
        read: Read | None = None,
        observe: Observer = watch_nothing,
        alarm: AlarmObserver = tell_nobody,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._konto_id = str(settings.account.id)
        self._handler = handler
        self._confirm = confirm
        self._read = read
        self._observe = observe
        self._clock: Clock = clock or SystemClock()
        self._routes = AlarmRoutes(settings.alarms, self._clock)
        self._alarms = Alarms(self._clock, alarm, self._routes)
        self._telemetry = UNMEASURED
        self._stack = AsyncExitStack()
        self._stopping = asyncio.Event()
        self._running = False
        self._last_delivery = self._clock.monotonic()
        self._journal: Journal | None = None
        self._consumer: Consumer | None = None
        self._worker: Worker[Entry] | None = None
        self._outage: Outage | None = None
        self._turns: Turns | None = None
        self._canaries: CanaryWatch | None = None
        self._unread: UnreadWatch | None = None

    async def __aenter__(self) -> Self:
        """Open the journal, the keys and the session.

        Raises:
            SettingsError: A file is missing or wrong.
            JournalUnavailable: The journal cannot be opened.
        """
        account_keys = await asyncio.to_thread(keys.account_keys, self._settings)
        signer = await asyncio.to_thread(keys.signer, self._settings)
        trust = await asyncio.to_thread(keys.trust, self._settings)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._routes)
            journal = await stack.enter_async_context(Journal(self._settings.journal))
            session = await stack.enter_async_context(FiksSession(self._settings, clock=self._clock))
            outbound, catalog = Outbound(session), Catalog(session)
            answering = Answering(outbound, catalog, signer)
            opener = Opener(journal, account_keys, trust)
            if self._settings.metrics.traces:
                self._telemetry = Telemetry(tracing=program_tracing())
            monitor = await self._make_monitor()
            outage = self._make_outage(journal)
            stack.push_async_callback(outage.aclose)
            self._unread = await self._make_unread(stack, journal)
            turns = self._make_turns()
            road = self._make_road(journal, opener, answering, outage, turns)
            self._journal, self._outage, self._turns = journal, outage, turns
            self._worker = self._make_worker(PacedQueue(journal, self._konto_id, turns, outage, self._clock), road)
            self._canaries = self._make_canaries(journal, outbound, catalog, signer)
            perch = self._make_perch(journal, account_keys, trust)
            self._consumer = self._make_consumer(journal, session, self._worker, outage, perch)
            if monitor is not None:
                await stack.enter_async_context(monitor.serve(lambda: self.status, journal))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of everything. Closing twice does nothing."""
        await self._stack.aclose()

    @property
    def journal(self) -> Journal:
        """The journal, to look things up in.

        Raises:
            FiksmeldingError: The receiver is not open.
        """
        return _opened(self._journal)

    @property
    def status(self) -> ReceiverStatus:
        """How we stand with the broker, the case system and the journal."""
        return ReceiverStatus(
            broker=_opened(self._consumer).status,
            case_system=_opened(self._turns).status,
            journal_down_since=_opened(self._outage).since,
        )

    async def until(self, *states: ConsumerState) -> ConsumerStatus:
        """Wait until we stand with the broker in one of `states`."""
        return await _opened(self._consumer).until(*states)

    def stop(self) -> None:
        """Ask `run` to stop: no new deliveries, what is under way is finished within `receiver.stop_seconds`."""
        self._stopping.set()

    async def run(self) -> None:
        """Receive until `stop` is called or the task is cancelled; both end in order.

        Raises:
            FiksmeldingError: The receiver is not open, or runs already.
        """
        consumer, worker = _opened(self._consumer), _opened(self._worker)
        if self._running:
            raise FiksmeldingError("The receiver runs already.")
        self._running = True
        background = [
            asyncio.create_task(worker.run(), name="worker"),
            asyncio.create_task(self._keep_house(), name="housekeeping"),
            asyncio.create_task(watch_clock(self._end_waits, self._clock, worker.wake), name="clock"),
        ]
        if self._canaries is not None:
            background.append(asyncio.create_task(self._canaries.run(), name="canaries"))
        if self._unread is not None:
            background.append(asyncio.create_task(self._unread.run(), name="unread"))
        stopping = asyncio.create_task(self._stopping.wait(), name="stop")
        try:
            async with consumer:
                try:
                    # A background task only ends by a fault of ours: then stop, loudly, with nothing acknowledged.
                    await asyncio.wait({stopping, *background}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in (stopping, *background):
                        task.cancel()
                    await self._wind_down(consumer, worker)
        finally:
            await asyncio.gather(stopping, *background, return_exceptions=True)
            self._running = False
        for task in background:
            if not task.cancelled():
                task.result()

    async def _wind_down(self, consumer: Consumer, worker: Worker[Entry]) -> None:
        """Take nothing more, and let what is under way come to an end."""
        outage = _opened(self._outage)
        if outage.since is not None:
            await outage.aclose()  # what waits for the journal would wait in vain
        await asyncio.gather(consumer.aclose(), worker.drain(self._settings.receiver.stop_seconds))

    async def wait_until_idle(self, seconds: float) -> None:
        """Return when nothing has arrived, and nothing has been worked on or is due, for `seconds`.

        Raises:
            BrokerAccessRefused: The broker refuses us: nothing will arrive.
            BrokerUnavailable: There was no connection for a minute.
        """
        worker, journal = _opened(self._worker), _opened(self._journal)
        connected_at = quiet_since = self._clock.monotonic()
        while True:
            await self._clock.sleep(min(0.1, seconds))
            now = self._clock.monotonic()
            connected_at = self._connected(connected_at, now)
            if worker.busy or connected_at < now or await journal.unanswered(konto_id=self._konto_id):
                quiet_since = now
            quiet_since = max(quiet_since, self._last_delivery)
            if now - quiet_since >= seconds:
                return

    def _connected(self, last: float, now: float) -> float:
        """When we were last seen consuming, in seconds on the monotonic clock."""
        status = self.status.broker
        if status.state is ConsumerState.CONSUMING:
            return now
        if status.state is ConsumerState.REFUSED:
            raise BrokerAccessRefused(status.reason)
        if now - last >= NO_CONNECTION_SECONDS:
            raise BrokerUnavailable(status.reason or "There is no connection to the broker.")
        return last

    async def _make_monitor(self) -> "Monitor | None":
        if self._settings.metrics.listen is None:
            return None
        from fiksmelding.receiver.monitor import Monitor  # noqa: PLC0415 - loaded only where it is wanted

        monitor = await asyncio.to_thread(Monitor, self._settings, self._routes, self._clock)
        self._alarms.also_tell(monitor.metrics.alarms)
        self._telemetry = replace(self._telemetry, metrics=monitor.metrics)
        return monitor

    def _make_canaries(
        self, journal: Journal, outbound: Outbound, catalog: Catalog, signer: Signer
    ) -> CanaryWatch | None:
        policy, account = self._settings.canary, self._settings.account.id
        if policy.every_minutes is None:
            return None
        sending = CanarySending(account, journal, outbound, catalog, signer, self._clock, self._telemetry)
        return CanaryWatch(policy, sending, alarms=self._alarms, clock=self._clock, status=lambda: self.status)

    async def _make_unread(self, stack: AsyncExitStack, journal: Journal) -> UnreadWatch | None:
        policy, read = self._settings.unread, self._read
        if read is None and policy.url is not None:
            read = await stack.enter_async_context(unread_webhook(policy, clock=self._clock))
        if read is None:
            return None
        return UnreadWatch(
            policy,
            self._konto_id,
            journal,
            read,
            alarms=self._alarms,
            clock=self._clock,
            telemetry=self._telemetry,
        )

    def _make_perch(self, journal: Journal, own_keys: Sequence[DecryptionKey], trust: Trust) -> CanaryPerch:
        came = (lambda: None) if self._canaries is None else self._canaries.came
        return CanaryPerch(self._konto_id, journal, own_keys, trust, self._alarms, self._clock, self._telemetry, came)

    def _make_outage(self, journal: Journal) -> Outage:
        async def pause() -> None:
            await _opened(self._consumer).pause()

        async def resume() -> None:
            await _opened(self._consumer).resume()

        backoff = look_backoff(self._settings.receiver)
        return Outage(
            journal=journal, clock=self._clock, backoff=backoff, alarms=self._alarms, pause=pause, resume=resume
        )

    def _make_turns(self) -> Turns:
        return Turns(
            pace(self._settings.receiver), self._clock, self._alarms, changed=lambda: _opened(self._worker).wake()
        )

    def _make_road(self, journal: Journal, opener: Opener, answering: Answering, outage: Outage, turns: Turns) -> Road:
        policy = self._settings.receiver
        recorder = Recorder(journal, self._clock, self._backoff(), self._observe, self._alarms, outage, self._telemetry)
        timeout, read_back = policy.handler_timeout_seconds, self._confirm is not None
        return Road(
            recorder=recorder,
            opener=opener,
            turns=turns,
            open=OpenStep(recorder, journal, opener, policy.unstructured),
            register=RegisterStep(recorder, journal, self._handler, timeout, turns, read_back, self._opened_within()),
            confirm=ConfirmStep(recorder, self._confirm, timeout, turns),
            receipt=ReceiptStep(recorder, answering),
            notice=NoticeStep(recorder, journal, policy.receipt_resends),
            recover=RecoverStep(recorder, journal, self._handler, self._confirm, timeout, turns),
        )

    def _make_worker(self, queue: PacedQueue, road: Road) -> Worker[Entry]:
        return Worker(
            journal=queue,
            walk=road.walk,
            concurrency=self._settings.receiver.concurrency,
            backoff=self._backoff(),
            clock=self._clock,
            lease_seconds=self._settings.journal.lease_seconds,
        )

    def _make_consumer(
        self, journal: Journal, session: FiksSession, worker: Worker[Entry], outage: Outage, perch: CanaryPerch
    ) -> Consumer:
        keeper = Keeper(
            journal=journal,
            documents=Documents(session, limit=self._settings.platform.largest_document_bytes),
            konto_id=self._konto_id,
            deadline_hours=self._settings.receiver.deadline_hours,
            backoff=self._backoff(),
            clock=self._clock,
            observe=self._observe,
            alarms=self._alarms,
            outage=outage,
            telemetry=self._telemetry,
            kept=worker.wake,
        )

        async def keep(delivery: Delivery) -> None:
            if perch.expects(delivery.metadata):
                await perch.take(delivery)
                return
            self._last_delivery = self._clock.monotonic()
            await keeper.keep(delivery)

        return account_consumer(
            self._settings,
            session,
            on_delivery=keep,
            clock=self._clock,
            stop_seconds=self._settings.receiver.stop_seconds,
        )

    def _opened_within(self) -> timedelta | None:
        return None if self._unread is None else timedelta(hours=self._settings.unread.after_hours)

    def _backoff(self) -> Backoff:
        return retry_backoff(self._settings.receiver)

    async def _end_waits(self, at: datetime) -> int:
        """End what a wrong clock set."""
        longest_wait = timedelta(seconds=self._settings.receiver.retry_longest_seconds + CLOCKS_DIFFER_SECONDS)
        longest_lease = timedelta(seconds=LONGEST_LEASE * self._settings.journal.lease_seconds)
        return await _opened(self._journal).end_impossible_waits(
            at, longest_wait=longest_wait, longest_lease=longest_lease
        )

    async def _keep_house(self) -> None:
        """Erase originals that have outlived their use, and what crashes left of downloads."""
        journal = _opened(self._journal)
        retention = Retention(journal, self._settings, self._clock, self._alarms)
        while True:
            try:
                await journal.drop_leftovers(self._clock.now())
                await retention.run()
            except JournalUnavailable as error:
                log.warning("old originals are not erased now: %s", error)
            await self._clock.sleep(HOUSEKEEPING_SECONDS)


def _opened(part: Part | None) -> Part:
    if part is None:
        raise FiksmeldingError("The receiver is not open.", advice="Use it inside `async with`.")
    return part
