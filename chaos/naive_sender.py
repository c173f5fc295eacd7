"""A sender as many are: it says that a report is sent once it holds it in memory, and tries until no error comes."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from chaos.words import Statement, say
from fiksmelding import keys
from fiksmelding.clock import Clock
from fiksmelding.config import Settings
from fiksmelding.errors import PlatformError
from fiksmelding.fiks import FiksSession, Reports
from fiksmelding.journal.outbox import OutgoingState, SealedCopies
from fiksmelding.messages import Bekymringsmelding
from fiksmelding.sender.addressing import Directory, Office
from fiksmelding.sender.preparing import Sealer
from fiksmelding.sender.recipients import checked

__all__ = ["NaiveSender"]

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2


class NaiveSender:
    """No outbox, no doubt: loses what it holds when it is killed, and sends twice when an answer is lost.

    Args:
        settings: As for the library's sender.
        clock: Where the time is read.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._sealer = Sealer(keys.signer(settings), "A school")
        self._clock = clock
        self._session = FiksSession(settings, clock=clock)
        self._reports = Reports(self._session)
        self._directory = Directory(self._reports, clock)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        await self._session.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._session.aclose()

    async def submit(self, report: Bekymringsmelding, *, key: str, pdf: bytes) -> str:
        """Hold a report in memory, and call that sent."""
        if key not in self._tasks:
            say(Statement.now(key, OutgoingState.ACCEPTED.value, None))
            self._tasks[key] = asyncio.create_task(self._try_until_no_error(report, pdf))
        return key

    async def _try_until_no_error(self, report: Bekymringsmelding, pdf: bytes) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                office = await self._directory.office(report.kommunenummer, None, likely=report.bydelsnummer)
                await self._hand_in(report, office, await self._sealed(report, office, pdf))
            except PlatformError as error:
                log.warning("tried again: %s", error)
            else:
                return

    async def _sealed(self, report: Bekymringsmelding, office: Office, pdf: bytes) -> SealedCopies:
        now = self._clock.now()
        offered = await self._directory.keys(office.kommunenummer, office.bydel.bydelsnummer)
        recipients = checked(offered, office, {}, now)
        return await asyncio.to_thread(self._sealer.seal, self._sealer.filled(report, office, now), recipients, pdf)

    async def _hand_in(self, report: Bekymringsmelding, office: Office, copies: SealedCopies) -> None:
        await self._reports.submit(
            report.message_type,
            office.kommunenummer,
            office.bydel.bydelsnummer,
            asice=copies.asice,
            print_copy=copies.print_copy,
        )
