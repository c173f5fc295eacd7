"""One walk of one entry: its envelope is opened at most once, and stays open for the steps that need it."""

from contextlib import AbstractContextManager, AsyncExitStack
from types import TracebackType
from typing import Self

from fiksmelding.journal import Entry
from fiksmelding.receiver.opening import Opened, Opener
from fiksmelding.receiver.report import Report
from fiksmelding.receiver.turns import Turn, Turns


class Journey:
    """What the steps of one walk share."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._stack = AsyncExitStack()
        self._opened: Opened | None = None
        self._turn: Turn | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened = None
        self.end_turn()
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

    def call(self, turns: Turns, entry: Entry) -> AbstractContextManager[None]:
        """A call of the case system, which is what the block does; the entry keeps its turn for the next.

        Raises:
            NoTurn: The case system has enough to do.
        """
        if self._turn is None:
            self._turn = turns.take(entry.report_id or entry.id)
        return self._turn.call()

    def end_turn(self) -> None:
        """The case system has done its part."""
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.end()


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
