"""The road of a report once it is in the outbox: submit, follow, erase. Each step is durable before the next begins."""

from dataclasses import dataclass
from typing import Final

from fiksmelding.errors import JournalError
from fiksmelding.journal import EventKind
from fiksmelding.journal.outbox import Outgoing, OutgoingState
from fiksmelding.sender.follow_step import FollowStep
from fiksmelding.sender.recording import Recorder
from fiksmelding.sender.steps import SendStep
from fiksmelding.sender.submit_step import SubmitStep

STEP_NAMES: Final = {OutgoingState.ACCEPTED: "follow", OutgoingState.DELIVERED: "erase"}


@dataclass(frozen=True, slots=True)
class Road:
    """Takes reports as far as they can go.

    Attributes:
        recorder: Where each step is written.
        submit: QUEUED → ACCEPTED.
        follow: ACCEPTED → DELIVERED.
    """

    recorder: Recorder
    submit: SubmitStep
    follow: FollowStep

    async def walk(self, outgoing: Outgoing) -> None:
        """Take every step that a report can take now; what has to wait is due later, by the outbox.

        Raises:
            JournalError: The last step is not recorded.
        """
        while outgoing.due_at is not None and outgoing.due_at <= self.recorder.clock.now():
            with self.recorder.telemetry.span(
                _name_of_step(outgoing), outgoing.id, outgoing.report_id, expected=JournalError
            ):
                outgoing = await self._step(outgoing)
            if outgoing.lease is None:
                return  # given back: whoever claims it takes the next step

    async def _step(self, outgoing: Outgoing) -> Outgoing:
        match outgoing.state:
            case OutgoingState.QUEUED:
                return await self.submit(outgoing)
            case OutgoingState.SUBMITTING:
                return await self.submit.after_a_crash(outgoing)
            case OutgoingState.UNCERTAIN if self.recorder.settings.uncertain == "resend":
                return await self.submit(outgoing)
            case OutgoingState.ACCEPTED:
                return await self.follow(outgoing)
            case OutgoingState.DELIVERED:
                return await self._erase(outgoing)
            case _:
                return await self.recorder.wait_another_day(outgoing)

    async def _erase(self, outgoing: Outgoing) -> Outgoing:
        now = self.recorder.clock.now()
        after = await self.recorder.outbox.erase(outgoing, at=now)
        self.recorder.tell(after, EventKind.ERASED, {}, now)
        self.recorder.observe(SendStep.ERASED, after.id)
        return after


def _name_of_step(outgoing: Outgoing) -> str:
    """What is about to be done with a report, in a word for a trace."""
    return STEP_NAMES.get(outgoing.state, "submit")
