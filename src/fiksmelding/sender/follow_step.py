"""Follow: how a report stands at the platform, until `LEVERT` (contract section 10)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from fiksmelding.alarms import AlarmKind
from fiksmelding.clock import NORWAY
from fiksmelding.errors import AccessRefused, PlatformError
from fiksmelding.fiks import Status
from fiksmelding.journal import EventKind
from fiksmelding.journal.outbox import Outgoing, OutgoingState, SeenStatus, Step
from fiksmelding.sender.recording import Recorder
from fiksmelding.sender.steps import SendStep
from fiksmelding.worker import Backoff

log = logging.getLogger("fiksmelding.sender")

DELIVERED = "LEVERT"
ORDER = ("AKSEPTERT", "SENDT_FAGSYSTEM", "AVVIST_FAGSYSTEM", "SENDT_PRINT", "AVVIST_PRINT", DELIVERED)
"""The states, each after all that may come before it."""
ALARMS = {
    "AVVIST_FAGSYSTEM": (AlarmKind.AVVIST_FAGSYSTEM, "was refused by the receiver's system; it goes by letter"),
    "AVVIST_PRINT": (AlarmKind.AVVIST_PRINT, "can be sent neither to the receiver's system nor by letter: call them"),
}
LONGEST_TEXT = 100
NEVER = datetime.max.replace(tzinfo=UTC)


class Asking(Protocol):
    """The part of the API that following needs."""

    async def status(self, report_id: UUID) -> tuple[Status, ...]:
        """The states that a report has come to."""
        ...


@dataclass(frozen=True, slots=True)
class FollowStep:
    """Asks how a report stands, and records what is new.

    Attributes:
        recorder: Where each step is written.
        reports: The platform.
    """

    recorder: Recorder
    reports: Asking

    async def __call__(self, outgoing: Outgoing) -> Outgoing:
        """Ask once.

        Raises:
            JournalError: A step is not recorded, or somebody else took it.
        """
        if outgoing.tilstand == DELIVERED:
            return await self._delivered(outgoing)  # told before, and whoever heard it died before that was recorded
        try:
            told = in_order(await self.reports.status(UUID(outgoing.report_id)))
        except PlatformError as error:
            return await self._not_told(outgoing, error)
        if told == outgoing.statuses:
            return await self._nothing_new(outgoing)
        return await self._moved(outgoing, told)

    async def _moved(self, outgoing: Outgoing, told: tuple[SeenStatus, ...]) -> Outgoing:
        known = outgoing.statuses
        withdrawn = [status for status in known if status not in told]
        for status in [status for status in told if status not in known]:
            odd = _is_odd(status, known)
            known = (*known, status)
            detail: dict[str, str | int] = {"tilstand": status.tilstand, "tidspunkt": status.tidspunkt}
            outgoing = await self._told(outgoing, {**detail, **({"odd": 1} if odd else {})}, known)
            self._sound(outgoing, status, odd=odd)
        if known != told:
            # They took something back, or tell it in another order: what they say now is what counts.
            last = told[-1].tilstand if told else ""
            detail = {"tilstand": last, "withdrawn": len(withdrawn)}
            outgoing = await self._told(outgoing, detail, told)
            self._sound_odd(outgoing, last)
        if outgoing.tilstand == DELIVERED:
            return await self._delivered(outgoing)
        return await self._wait(outgoing, 1)

    async def _told(
        self, outgoing: Outgoing, detail: dict[str, str | int], statuses: tuple[SeenStatus, ...]
    ) -> Outgoing:
        now = self.recorder.clock.now()
        step = Step(event=EventKind.STATUS, detail=detail, due_at=now, failures=0, statuses=statuses)
        return await self.recorder.record(outgoing, step, SendStep.STATUS)

    async def _delivered(self, outgoing: Outgoing) -> Outgoing:
        until = self.recorder.clock.now() + timedelta(days=self.recorder.settings.keep_days)
        step = Step(event=EventKind.DELIVERED, state=OutgoingState.DELIVERED, due_at=until, failures=0)
        return await self.recorder.record(outgoing, step, SendStep.DELIVERED)

    async def _not_told(self, outgoing: Outgoing, error: PlatformError) -> Outgoing:
        log.warning("how %s stands is not known now: %s", outgoing.id, error)
        if isinstance(error, AccessRefused):
            text = f"Reports that were sent cannot be followed: {error}"
            self.recorder.alarms.sound(AlarmKind.ACCESS_REFUSED, text)
        return await self._nothing_new(outgoing)

    async def _nothing_new(self, outgoing: Outgoing) -> Outgoing:
        now, limit = self.recorder.clock.now(), timedelta(hours=self.recorder.settings.alarm_unmoved_hours)
        if now - max(outgoing.moved_at, outgoing.alarmed_at or outgoing.moved_at) >= limit:
            text = (
                f"{outgoing.id} (report {outgoing.report_id} to {outgoing.order.receiver}) has been "
                f"{outgoing.tilstand or 'without a state'} since {outgoing.moved_at.isoformat(timespec='minutes')}: "
                "ask KS, and reach the municipality another way."
            )
            step = Step(event=EventKind.STUCK, due_at=now, moved=False, alarmed=True)
            outgoing = await self.recorder.record(outgoing, step)
            self.recorder.alarms.sound(AlarmKind.UNMOVED, text, entry_id=outgoing.id)
        return await self._wait(outgoing, outgoing.failures + 1)

    async def _wait(self, outgoing: Outgoing, times: int) -> Outgoing:
        settings = self.recorder.settings
        pause = Backoff(settings.status_first_seconds, settings.status_longest_seconds).after(times)
        return await self.recorder.outbox.postpone(outgoing, self.recorder.clock.now() + pause, failures=times)

    def _sound(self, outgoing: Outgoing, status: SeenStatus, *, odd: bool) -> None:
        if status.tilstand in ALARMS:
            kind, text = ALARMS[status.tilstand]
            whole = f"{outgoing.id} (report {outgoing.report_id} to {outgoing.order.receiver}) {text}."
            self.recorder.alarms.sound(kind, whole, entry_id=outgoing.id)
        elif odd:
            self._sound_odd(outgoing, status.tilstand)

    def _sound_odd(self, outgoing: Outgoing, tilstand: str) -> None:
        text = (
            f"{outgoing.id} (report {outgoing.report_id}) came to {tilstand or 'no state'!r}, which is no step forward "
            "that the contract knows. It is followed on."
        )
        self.recorder.alarms.sound(AlarmKind.ODD_STATUS, text, entry_id=outgoing.id)


def in_order(told: Sequence[Status]) -> tuple[SeenStatus, ...]:
    """States as they are recorded: oldest first where the times can be read, else in the platform's order.

    Texts are cut where they are longer than any state or time: whatever else stands there is not for the log.
    """
    seen = [SeenStatus(one.tilstand[:LONGEST_TEXT], one.tidspunkt[:LONGEST_TEXT]) for one in told]
    moments = {status: _moment(status.tidspunkt) for status in seen}
    if None not in moments.values():
        seen.sort(key=lambda status: moments[status] or NEVER)
    return tuple(dict.fromkeys(seen))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=NORWAY)).astimezone(UTC)


def _is_odd(status: SeenStatus, before: Sequence[SeenStatus]) -> bool:
    if status.tilstand not in ORDER:
        return True
    highest = max((ORDER.index(one.tilstand) for one in before if one.tilstand in ORDER), default=-1)
    return ORDER.index(status.tilstand) <= highest
