"""Submit: QUEUED → SUBMITTING → ACCEPTED. The call is made once; what is not known afterwards is not guessed.

```
QUEUED ──▶ SUBMITTING ──▶ ACCEPTED
  ▲            ├────▶ UNCERTAIN (no answer, or we died in the call)
  │            ├────▶ UNTRACED (taken, but without an id that can be read)
  └────────────┤
               └────▶ REFUSED (a person decides)
```
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from fiksmelding.alarms import AlarmKind
from fiksmelding.errors import AccessRefused, PlatformError, PlatformUnavailable
from fiksmelding.fiks import Krypteringsnokler, OutcomeUnknown
from fiksmelding.journal import EventKind
from fiksmelding.journal.outbox import Outgoing, OutgoingState, Step
from fiksmelding.messages import MessageType
from fiksmelding.sender.addressing import CACHE_SECONDS
from fiksmelding.sender.recipients import still_valid
from fiksmelding.sender.recording import A_DAY, Recorder
from fiksmelding.sender.steps import SendStep

DIED = "this program ended while it was being handed over"
ASK_KS = "ask KS whether they have it, then decide: `outbox taken`, `outbox retry` or `outbox cancel`"
SEAL_ANEW = "send the report again from the system that it comes from, so that it is sealed for the present key"


class Submitting(Protocol):
    """The part of the API that handing in needs."""

    async def submit(
        self, message_type: MessageType, kommunenummer: str, bydelsnummer: str, *, asice: bytes, print_copy: bytes
    ) -> UUID:
        """Hand in a report, once."""
        ...


class Keys(Protocol):
    """The part of the directory that handing in needs."""

    async def keys(self, kommunenummer: str, bydelsnummer: str) -> Krypteringsnokler:
        """The keys that are valid now."""
        ...


@dataclass(frozen=True, slots=True)
class SubmitStep:
    """Hands reports to the platform.

    Attributes:
        recorder: Where each step is written.
        reports: The platform.
        directory: Knows the present keys.
    """

    recorder: Recorder
    reports: Submitting
    directory: Keys

    async def __call__(self, outgoing: Outgoing) -> Outgoing:
        """Hand a report over, unless its keys have come to their end meanwhile.

        Raises:
            JournalError: The step is not recorded, or somebody else took it.
        """
        try:
            ended = await self._keys_ended(outgoing)
        except PlatformError as error:
            return await self._not_taken(outgoing, error)
        if ended:
            return await self.recorder.refused(outgoing, f"{ended}: {SEAL_ANEW}.")
        copies = await self.recorder.outbox.copies(outgoing)
        handing = await self.recorder.record(outgoing, self._begin(outgoing), SendStep.SUBMITTING)
        if outgoing.uncertain:
            text = f"{outgoing.id} (to {outgoing.order.receiver}) is handed over once more: it may arrive twice."
            self.recorder.alarms.sound(AlarmKind.SENT_AGAIN, text, entry_id=outgoing.id)
        order = outgoing.order
        try:
            report_id = await self.reports.submit(
                MessageType(order.message_type),
                order.kommunenummer,
                order.bydelsnummer,
                asice=copies.asice,
                print_copy=copies.print_copy,
            )
        except OutcomeUnknown as error:
            return await (self._untraced(handing) if error.taken else self._uncertain(handing, error.text))
        except PlatformError as error:
            return await self._not_taken(handing, error)
        self.recorder.observe(SendStep.HANDED_OVER, outgoing.id)
        return await self.recorder.accepted(handing, str(report_id))

    async def after_a_crash(self, outgoing: Outgoing) -> Outgoing:
        """A report that was being handed over when whoever did it fell silent."""
        return await self._uncertain(outgoing, DIED)

    async def _uncertain(self, outgoing: Outgoing, reason: str) -> Outgoing:
        """The platform may have the report: whether it is sent once more is a person's or the policy's to say."""
        settings = self.recorder.settings
        if settings.uncertain == "resend":
            wait = timedelta(hours=settings.uncertain_hours)
            then = f"without a decision it is sent again in {settings.uncertain_hours:g} hours, and may arrive twice"
        else:
            wait, then = A_DAY, ASK_KS
        step = Step(
            event=EventKind.OUTCOME_UNKNOWN,
            detail={"reason": reason},
            state=OutgoingState.UNCERTAIN,
            due_at=self.recorder.clock.now() + wait,
            failures=0,
            uncertain=True,
            reason=f"whether the platform has it is not known ({reason.rstrip('.')}): {then}.",
        )
        return await self._waits(outgoing, step)

    async def _untraced(self, outgoing: Outgoing) -> Outgoing:
        """The platform has it, under an id that we do not know: sending it again would be sending it twice."""
        step = Step(
            event=EventKind.OUTCOME_UNKNOWN,
            detail={"reason": "taken without an id"},
            state=OutgoingState.UNTRACED,
            due_at=self.recorder.clock.now() + A_DAY,
            failures=0,
            uncertain=True,
            reason=f"the platform took it, but gave no id by which it can be followed: {ASK_KS}.",
        )
        return await self._waits(outgoing, step)

    async def _waits(self, outgoing: Outgoing, step: Step) -> Outgoing:
        after = await self.recorder.record(outgoing, step)
        self.recorder.sound_waiting(after)
        return after

    def _begin(self, outgoing: Outgoing) -> Step:
        again = {"possible_repetition": 1} if outgoing.uncertain else {}
        return Step(
            event=EventKind.SUBMITTING,
            detail={"submission": outgoing.submissions + 1, **again},
            state=OutgoingState.SUBMITTING,
            due_at=self.recorder.clock.now(),
            submissions=outgoing.submissions + 1,
            moved=False,
        )

    async def _not_taken(self, outgoing: Outgoing, error: PlatformError) -> Outgoing:
        why = _facts(error)
        if isinstance(error, PlatformUnavailable):
            return await self.recorder.failed(outgoing, EventKind.SUBMIT_FAILED, why)
        if isinstance(error, AccessRefused):
            # Not the report's fault: it waits until token, password or right is put in order.
            text = f"Reports cannot be sent, they are kept and wait: {error}"
            self.recorder.alarms.sound(AlarmKind.ACCESS_REFUSED, text)
            longest = timedelta(seconds=self.recorder.settings.retry_longest_seconds)
            return await self.recorder.failed(outgoing, EventKind.SUBMIT_FAILED, why, wait=longest)
        return await self.recorder.refused(outgoing, str(error))

    async def _keys_ended(self, outgoing: Outgoing) -> str:
        """Why the report may not be sent as it is sealed; "" when it may.

        A key that was merely replaced is no reason: receivers keep the earlier one, and a report that cannot be opened
        goes by letter.
        """
        now, order = self.recorder.clock.now(), outgoing.order
        if now > order.keys_until:
            return "a key that it is sealed for has expired"
        if (now - order.kept_at).total_seconds() < CACHE_SECONDS:
            return ""
        keys = await self.directory.keys(order.kommunenummer, order.bydelsnummer)
        pairs = (
            (keys.fiks_io_offentlig_nokkel, order.key_sha256),
            (keys.print_offentlig_nokkel, order.print_key_sha256),
        )
        revoked = any(still_valid(key, sha256) is False for key, sha256 in pairs)
        return "a key that it is sealed for is not valid any more" if revoked else ""


def _facts(error: PlatformError) -> dict[str, str | int]:
    facts: dict[str, str | int] = {"error": error.__class__.__name__}
    if error.status is not None:
        facts["status"] = error.status
    if error.error_id is not None:
        facts["error_id"] = error.error_id
    return facts
