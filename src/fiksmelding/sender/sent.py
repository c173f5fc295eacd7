"""A report that was sent, to be followed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from fiksmelding.journal.outbox import Outbox, Outgoing, OutgoingState
from fiksmelding.sender.progress import Progress
from fiksmelding.sender.watching import Watch

ENDS = frozenset({OutgoingState.DELIVERED, OutgoingState.CANCELLED, OutgoingState.ERASED})


@dataclass(frozen=True, slots=True)
class Sent:
    """A report in the outbox.

    Attributes:
        id: Our id of it, which survives a crash: `Sender.find` has it again.
        repeated: Whether it was in the outbox before, under the same key.
    """

    id: str
    repeated: bool
    _outbox: Outbox
    _watch: Watch

    async def now(self) -> Outgoing:
        """How it stands now.

        Raises:
            JournalUnavailable: It cannot be looked up.
        """
        return await self._outbox.get(self.id)

    async def progress(self) -> AsyncIterator[Progress]:
        """All that happened to it and will, from its first event on, until it is delivered or cancelled.

        Waits for what has not happened yet, for days if need be; whoever has enough, breaks off.

        Raises:
            JournalUnavailable: It cannot be looked up.
        """
        told = 0
        while True:
            for event in (await self._outbox.events(self.id))[told:]:
                told += 1
                progress = Progress.of(event)
                yield progress
                if progress.state in ENDS:
                    return
            await self._watch.change()

    async def until(self, *states: OutgoingState) -> Outgoing:
        """Wait until it is in one of the given states; bound the wait with `asyncio.timeout`.

        Raises:
            JournalUnavailable: It cannot be looked up.
        """
        while (outgoing := await self.now()).state not in states:
            await self._watch.change()
        return outgoing
