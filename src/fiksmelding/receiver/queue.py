"""What the worker gets to walk: what is due, as far as the case system has time for it and the journal can be used."""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from fiksmelding.clock import Clock
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Checkpoint, ClaimedByAnother, Entry, Journal, State
from fiksmelding.receiver.outage import Outage
from fiksmelding.receiver.turns import Turns

log = logging.getLogger("fiksmelding.receiver")

WAITS_FOR_A_TURN: Final = (State.OPENED,)


class PacedQueue:
    """The journal's due entries; those that wait for the case system only when it has time for them.

    They stay in the journal meanwhile, rather than with a walker that would keep the rest, such as receipts, waiting.

    Args:
        journal: Where they are.
        konto_id: The account whose entries they are; those of others are not ours to open.
        turns: Whether the case system has time.
        outage: Where to wait while the journal cannot be used.
        clock: Where the time is read.
        only_recoveries: Whether nothing is wanted but what is to be recovered.
    """

    def __init__(
        self,
        journal: Journal,
        konto_id: str,
        turns: Turns,
        outage: Outage,
        clock: Clock,
        *,
        only_recoveries: bool = False,
    ) -> None:
        self._journal = journal
        self._konto_id = konto_id
        self._turns = turns
        self._outage = outage
        self._clock = clock
        self._only_recoveries = only_recoveries

    @property
    def shared(self) -> bool:
        """Whether other processes may claim entries too."""
        return self._journal.shared

    async def claim(
        self, now: datetime, *, owner: str, lease: timedelta, limit: int, without: Collection[str] = ()
    ) -> Sequence[Entry]:
        """Take entries that are due; at most as many for the case system as it has time for."""

        async def some(wanted: int, taken: Sequence[Entry], only_late: Collection[State]) -> Sequence[Entry]:
            return await self._journal.claim(
                now,
                owner=owner,
                lease=lease,
                limit=wanted,
                without=[*without, *(entry.id for entry in taken)],
                only_late=only_late,
                only_recoveries=self._only_recoveries,
                konto_id=self._konto_id,
            )

        turns = min(self._turns.free(), limit)
        taken = list(await self._usable(lambda: some(turns, [], ()))) if turns else []
        if len(taken) == turns < limit:
            try:
                taken += await self._usable(lambda: some(limit - turns, taken, WAITS_FOR_A_TURN))
            except JournalUnavailable:
                if not taken:
                    raise
        return taken

    async def next_due(self, *, owner: str, without: Collection[str] = ()) -> datetime | None:
        """When the next has to be worked on, or the case system may be tried again."""
        busy = () if self._turns.free() else WAITS_FOR_A_TURN
        due = await self._journal.next_due(
            owner=owner,
            without=without,
            without_states=busy,
            only_recoveries=self._only_recoveries,
            konto_id=self._konto_id,
        )
        if not busy:
            return due
        pause = self._turns.pause()
        moments = [due] if due is not None else []
        if pause:  # else whoever gives a turn back wakes the worker
            moments.append(self._clock.now() + timedelta(seconds=pause))
        return min(moments, default=None)

    async def _usable(self, claim: Callable[[], Awaitable[Sequence[Entry]]]) -> Sequence[Entry]:
        """Claim, now or when the journal can be used again.

        Raises:
            JournalUnavailable: It can be used, and yet this was refused.
        """
        try:
            return await claim()
        except ClaimedByAnother:
            raise
        except JournalUnavailable as error:
            log.warning("nothing can be claimed from the journal now: %s", error)
            await self._outage.wait(error)
            return await claim()

    async def renew(self, held: Collection[Entry], *, until: datetime) -> frozenset[str]:
        """Hold entries longer."""
        return await self._journal.renew(held, until=until)

    async def release(self, entry: Entry, /) -> None:
        """Give one back."""
        await self._journal.release(entry)

    async def checkpoint(self, at: datetime) -> Checkpoint | None:
        """Seal the event log."""
        return await self._journal.checkpoint(at)
