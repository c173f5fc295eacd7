"""What was set aside, for the person who decides about it. Works on the journal, whether a receiver runs or not."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import JournalSettings
from fiksmelding.errors import FiksmeldingError, JournalError
from fiksmelding.journal import Answer, Change, Entry, Event, EventKind, Journal, State
from fiksmelding.receiver.recording import can_be_answered, new_receipt

LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A message that was set aside.

    Attributes:
        id: Its id in the journal.
        melding_id: The platform's id of it, or None when it had none that is usable.
        melding_type: Its message type, as the sender gave it.
        avsender_id: The sender's account, or None when it was not usable.
        reason: Why it was set aside, without personal data.
        received_at: When it was kept, aware UTC.
        deadline_at: When it is answered `feilet`, aware UTC; None when nobody can be answered.
        size: Size of the sealed original, in bytes.
    """

    id: str
    melding_id: str | None
    melding_type: str | None
    avsender_id: str | None
    reason: str
    received_at: datetime
    deadline_at: datetime | None
    size: int

    @property
    def answerable(self) -> bool:
        """Whether the sender can be told that it was rejected."""
        return self.deadline_at is not None


class Quarantine:
    """Lists, shows, retries and rejects what was set aside.

    ```python
    async with Quarantine(settings.journal) as quarantine:
        for message in await quarantine.messages():
            await quarantine.retry(message.id)
    ```

    Args:
        settings: Where the journal is.
        clock: Where the time is read.
    """

    def __init__(self, settings: JournalSettings, *, clock: Clock | None = None) -> None:
        self._journal = Journal(settings)
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the journal.

        Raises:
            JournalUnavailable: It cannot be opened.
        """
        await self._stack.enter_async_context(self._journal)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def messages(self) -> Sequence[Quarantined]:
        """What is set aside now, in the order of keeping."""
        return [_told(entry) for entry in await self._journal.entries(State.QUARANTINED)]

    async def events(self, message_id: str) -> Sequence[Event]:
        """What has happened to a message that is set aside, in order. Never what it says.

        Args:
            message_id: Its id in the journal, or its `melding-id`.

        Raises:
            JournalError: It is not set aside.
        """
        return await self._journal.events((await self._find(message_id)).id)

    async def retry(self, message_id: str) -> Quarantined:
        """Let a message be opened again; a running receiver does so within seconds. What fails again comes back here.

        Args:
            message_id: Its id in the journal, or its `melding-id`.

        Returns:
            The message as it was.

        Raises:
            JournalError: It is not set aside, was erased, or is just being worked on.
        """
        entry = await self._find(message_id)
        now = self._clock.now()
        change = Change(event=EventKind.RETRIED, state=State.RECEIVED, due_at=now, failures=0)
        await self._journal.record(entry, change, at=now)
        return _told(entry)

    async def reject(self, message_id: str, reason: str) -> Quarantined:
        """Decide that a message will not be registered. Where it can be answered, the sender gets `feilet`.

        The platform then sends the report by letter. Where nobody can be answered (see `Quarantined.answerable`), it
        is closed without an answer.

        Args:
            message_id: Its id in the journal, or its `melding-id`.
            reason: Why, in plain Norwegian for the one who reads the receipt, at most 1 000 characters. Put no
                personal data in it.

        Returns:
            The message as it was.

        Raises:
            JournalError: It is not set aside, or is just being worked on.
            FiksmeldingError: The reason is empty, too long, or no plain text.
        """
        text = plain_reason(reason)
        entry = await self._find(message_id)
        now, answerable = self._clock.now(), can_be_answered(entry)
        change = Change(
            event=EventKind.REJECTED,
            detail={"cause": "person"},
            state=State.REJECTED,
            due_at=now if answerable else None,
            failures=0,
            reason=text,
            receipt=new_receipt(Answer.FEILET, text) if answerable else None,
        )
        await self._journal.record(entry, change, at=now)
        return _told(entry)

    async def _find(self, message_id: str) -> Entry:
        found = [
            entry
            for entry in await self._journal.entries(State.QUARANTINED)
            if message_id in {entry.id, entry.arrival.melding_id}
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise JournalError(
                "Several messages that are set aside have this melding-id.",
                message_id=message_id,
                advice="Name one by its id in the journal.",
            )
        entry = await self._journal.entry(message_id)
        raise JournalError(f"The message is not set aside: it is {entry.state}.", message_id=message_id)


def _told(entry: Entry) -> Quarantined:
    arrival = entry.arrival
    return Quarantined(
        id=entry.id,
        melding_id=arrival.melding_id,
        melding_type=arrival.melding_type,
        avsender_id=arrival.avsender_id,
        reason=entry.reason or "",
        received_at=arrival.received_at,
        deadline_at=arrival.deadline_at if can_be_answered(entry) else None,
        size=entry.size,
    )


def plain_reason(reason: str) -> str:
    """What a person has written, as one line of plain text.

    Raises:
        FiksmeldingError: It is empty, too long, or no plain text.
    """
    text = " ".join(reason.split())
    if not text or len(text) > LONGEST_REASON or not text.isprintable():
        raise FiksmeldingError(
            f"The reason must be plain text of 1 to {LONGEST_REASON} characters.",
            advice="Whoever reads it has nothing else to go by.",
        )
    return text
