"""Recording a step: the outbox first, then whoever follows."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.clock import Clock
from fiksmelding.config import SenderSettings
from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal import EventKind
from fiksmelding.journal.outbox import PASSABLE, Outbox, Outgoing, OutgoingState, Step
from fiksmelding.monitoring import UNMEASURED, Telemetry
from fiksmelding.sender.progress import Progress, ProgressObserver
from fiksmelding.sender.steps import SendStep, StepObserver
from fiksmelding.sender.watching import Watch
from fiksmelding.worker import Backoff

log = logging.getLogger("fiksmelding.sender")

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes what happened to a report, and tells of it.

    Attributes:
        outbox: Where it is written.
        settings: Waits and policies.
        clock: Where the time is read.
        alarms: What a person has to hear of.
        watch: Wakes those who wait for a report.
        on_progress: Told of each event once it is recorded.
        observe: Told of each step.
        telemetry: What makes spans.
    """

    outbox: Outbox
    settings: SenderSettings
    clock: Clock
    alarms: Alarms
    watch: Watch
    on_progress: ProgressObserver
    observe: StepObserver
    telemetry: Telemetry = UNMEASURED

    async def record(self, outgoing: Outgoing, step: Step, observed: SendStep | None = None) -> Outgoing:
        """Take a step.

        Raises:
            JournalError: Somebody else took one meanwhile.
            JournalUnavailable: It is not recorded.
        """
        now = self.clock.now()
        after = await self.outbox.record(outgoing, step, at=now)
        self.tell(after, step.event, step.detail, now)
        if observed is not None:
            self.observe(observed, after.id)
        return after

    async def accepted(self, outgoing: Outgoing, report_id: str) -> Outgoing:
        """Record that the platform took a report, however long the outbox takes to be written again."""
        now, faults = self.clock.now(), 0
        due_at = now + Backoff(self.settings.status_first_seconds, self.settings.status_longest_seconds).after(1)
        while True:
            try:
                after = await self.outbox.accept(outgoing.id, report_id, due_at=due_at, at=now)
                break
            except JournalUnavailable as error:
                faults += 1
                wait = self.retry().after(faults).total_seconds()
                log.critical(
                    "The platform took %s as report %s, and that cannot be recorded now: %s Next attempt in %.1f s",
                    outgoing.id,
                    report_id,
                    error,
                    wait,
                )
                await self.clock.sleep(wait)
        kind = EventKind.SUBMITTED if after.report_id == report_id else EventKind.SUBMITTED_AGAIN
        self.tell(after, kind, {"report_id": report_id}, now)
        self.observe(SendStep.ACCEPTED, after.id)
        return after

    async def failed(
        self, outgoing: Outgoing, event: EventKind, why: Mapping[str, str | int], *, wait: timedelta | None = None
    ) -> Outgoing:
        """Record that a report could not be handed over now, and when that is tried again."""
        failures = outgoing.failures + 1
        pause = self.retry().after(failures) if wait is None else wait
        alarm = self._unsent_too_long(outgoing)
        step = Step(
            event=event,
            detail={**why, "failures": failures},
            state=OutgoingState.QUEUED,
            due_at=self.clock.now() + pause,
            failures=failures,
            moved=False,
            alarmed=alarm,
        )
        after = await self.record(outgoing, step)
        if alarm:
            text = (
                f"The platform has not taken {outgoing.id} (to {outgoing.order.receiver}) since "
                f"{outgoing.order.kept_at.isoformat(timespec='minutes')}. It is kept and tried again; if it is "
                "urgent, reach the municipality another way."
            )
            self.alarms.sound(AlarmKind.UNSENT, text, entry_id=outgoing.id)
        return after

    async def refused(self, outgoing: Outgoing, reason: str) -> Outgoing:
        """Record that a report cannot be sent as it stands; a person decides, and hears of it daily until then."""
        step = Step(
            event=EventKind.SUBMIT_REFUSED,
            detail={"reason": reason},
            state=OutgoingState.REFUSED,
            due_at=self.clock.now() + A_DAY,
            reason=reason,
            failures=0,
        )
        after = await self.record(outgoing, step)
        self.sound_waiting(after)
        return after

    def sound_waiting(self, outgoing: Outgoing) -> None:
        """Tell that a report waits for a person."""
        kind = AlarmKind.SUBMIT_REFUSED if outgoing.state is OutgoingState.REFUSED else AlarmKind.OUTCOME_UNKNOWN
        text = f"{outgoing.id} (to {outgoing.order.receiver}) waits for a decision: {outgoing.reason}"
        self.alarms.sound(kind, text, entry_id=outgoing.id)

    async def wait_another_day(self, outgoing: Outgoing) -> Outgoing:
        """A report that waits for a person is told of again, and waits on."""
        self.sound_waiting(outgoing)
        return await self.outbox.postpone(outgoing, self.clock.now() + A_DAY, failures=outgoing.failures)

    def retry(self) -> Backoff:
        """The waits between attempts to hand a report over."""
        return Backoff(self.settings.retry_first_seconds, self.settings.retry_longest_seconds)

    def tell(self, outgoing: Outgoing, kind: EventKind, detail: Mapping[str, str | int], at: datetime) -> None:
        """Tell those who follow of an event that is recorded."""
        log.info("%s: %s", outgoing.id, kind.value, extra={"event": kind.value, "sent_id": outgoing.id})
        self.watch.notify()
        try:
            self.on_progress(Progress(outgoing.id, at, kind, outgoing.state, detail))
        except Exception as error:  # noqa: BLE001 - a report must not suffer from who follows it
            log.error("The progress of %s was not handed on: %s", outgoing.id, error.__class__.__name__)  # noqa: TRY400

    def _unsent_too_long(self, outgoing: Outgoing) -> bool:
        now, limit = self.clock.now(), timedelta(minutes=self.settings.alarm_unsent_minutes)
        if outgoing.alarmed_at is None:
            # A clock that was ahead may have kept it in the future; what moved there has been put right.
            return now - min(outgoing.order.kept_at, outgoing.moved_at) >= limit
        return now - outgoing.alarmed_at >= max(limit, A_DAY)


async def retry(outbox: Outbox, outgoing: Outgoing, *, at: datetime) -> Outgoing:
    """A person decides that a report is to be handed over (again) now.

    Raises:
        JournalError: It is with the platform, is not to be sent, or is being worked on.
    """
    if outgoing.state is not OutgoingState.QUEUED and OutgoingState.QUEUED not in PASSABLE[outgoing.state]:
        raise JournalError(f"A report that is {outgoing.state} is not sent again.", message_id=outgoing.id)
    step = Step(event=EventKind.RETRIED, state=OutgoingState.QUEUED, due_at=at, failures=0)
    return await outbox.record(outgoing, step, at=at)
