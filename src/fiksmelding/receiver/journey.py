"""One walk of one entry: its envelope is opened at most once, and stays open for the steps that need it."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from fiksmelding.journal import Entry
from fiksmelding.receiver.opening import Opened, Opener
from fiksmelding.receiver.report import Report


class Journey:
    """What the steps of one walk share."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._stack = AsyncExitStack()
        self._opened: Opened | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened = None
        await self._stack.aclose()

    @property
    def began_sealed(self) -> bool:
        """Whether this walk has not opened the envelope: an earlier one did, and may have called the handler."""
        return self._opened is None

    async def open(self, entry: Entry) -> Opened:
        """The opened envelope of `entry`.

        Raises:
            EnvelopeError: It cannot be opened, believed or understood.
            JournalUnavailable: It cannot be read now.
        """
        if self._opened is None:
            self._opened = await self._stack.enter_async_context(self._opener.open(entry))
        return self._opened


def report_of(entry: Entry, opened: Opened, *, repeat: bool) -> Report:
    """What the handler gets."""
    arrival = entry.arrival
    return Report(
        id=entry.report_id or entry.id,
        melding_id=arrival.melding_id or "",
        melding_type=arrival.melding_type or "",
        message=opened.message,
        problems=opened.problems,
        signer=opened.signer,
        received_at=arrival.received_at,
        deadline_at=arrival.deadline_at,
        attempt=entry.attempts,
        repeat=repeat,
        headers=arrival.headers,
        _opened=opened,
    )
