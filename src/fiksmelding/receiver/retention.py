"""Retention: sealed originals are erased when they have outlived their use, and never while one may be missed.

What the case system does not have is nowhere but in the journal. So nothing of an account is erased while any report is
known to be missing there, while the last comparison did not agree, or, once comparisons are made at all, while the
last one is too old to tell.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.clock import Clock
from fiksmelding.config import Settings
from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal import Entry, Journal, Reconciled

log = logging.getLogger("fiksmelding.retention")

ERASED_AT_ONCE: Final = 500
TOLD_AGAIN_AFTER: Final = timedelta(days=1)


class Held(StrEnum):
    """Why nothing is erased."""

    MISSING = "missing"
    """Reports are missing in the case system, and have not been recovered."""
    DISAGREED = "disagreed"
    """The last comparison did not agree; a new one has to show that all is there now."""
    OUTDATED = "outdated"
    """The last comparison is older than `reconcile.valid_days`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionStatus:
    """What the policy says now.

    Attributes:
        before: What was receipted, or closed with nobody to answer, before this moment is to be erased; aware UTC.
        due: How many such originals there are; at most `ERASED_AT_ONCE` are looked at of each kind.
        missing: How many reports are known to be missing in the case system.
        compared: The last comparison with the case system, or None where there was none.
        held: Why nothing is erased; None when what is due is.
    """

    before: datetime
    due: int
    missing: int
    compared: Reconciled | None
    held: Held | None


class Retention:
    """Erases the originals of one account.

    Args:
        journal: Where they are.
        settings: The account, `journal.keep_days` and `reconcile.valid_days`.
        clock: Where the time is read.
        alarms: Told, once a day, when originals are kept too long.
    """

    def __init__(self, journal: Journal, settings: Settings, clock: Clock, alarms: Alarms) -> None:
        self._journal = journal
        self._konto_id = str(settings.account.id)
        self._keep_days = settings.journal.keep_days
        self._valid = timedelta(days=settings.reconcile.valid_days)
        self._clock = clock
        self._alarms = alarms
        self._told_at: datetime | None = None

    async def status(self) -> RetentionStatus:
        """What would be erased now, or why nothing would.

        Raises:
            JournalUnavailable: That cannot be read.
        """
        now = self._clock.now()
        before = now - timedelta(days=self._keep_days)
        missing = await self._journal.reconciliations.count_missing(self._konto_id)
        compared = await self._journal.reconciliations.last(self._konto_id)
        return RetentionStatus(
            before=before,
            due=len(await self._outlived(before)),
            missing=missing,
            compared=compared,
            held=_held(missing, compared, now - self._valid),
        )

    async def run(self) -> int:
        """Erase what has outlived its use, unless it is held.

        Returns:
            How many originals were erased. Each has its event, with the policy by which it was erased.

        Raises:
            JournalUnavailable: Not all could be.
        """
        status = await self.status()
        if status.held is not None:
            self._tell(status, status.held)
            return 0
        erased = 0
        while outlived := await self._outlived(status.before):
            now_erased = await self._erase(outlived)
            if not now_erased:
                break  # others erase them, or work on them
            erased += now_erased
        if erased:
            await self._journal.clear_erased()
            log.info("%d originals have outlived their use and are erased", erased, extra={"event": "erased"})
        return erased

    async def _outlived(self, before: datetime) -> Sequence[Entry]:
        receipted = await self._journal.receipted_before(before, limit=ERASED_AT_ONCE, konto_id=self._konto_id)
        return [
            *receipted,
            *await self._journal.closed_before(before, limit=ERASED_AT_ONCE, konto_id=self._konto_id),
        ]

    async def _erase(self, outlived: Sequence[Entry]) -> int:
        erased, cause = 0, {"cause": "retention", "keep_days": str(self._keep_days)}
        for entry in outlived:
            try:
                await self._journal.erase(entry, at=self._clock.now(), cause=cause)
            except JournalUnavailable:
                raise
            except JournalError:
                continue  # another receiver has erased it, or it was found missing just now
            erased += 1
        return erased

    def _tell(self, status: RetentionStatus, held: Held) -> None:
        now = self._clock.now()
        if not status.due or (self._told_at is not None and now - self._told_at < TOLD_AGAIN_AFTER):
            return
        self._told_at = now
        self._alarms.sound(
            AlarmKind.RETENTION_HELD,
            f"Originals from before {status.before:%Y-%m-%d} are not erased: {told(held, status.missing)} "
            "See `fiksmelding retention show`.",
        )


def _held(missing: int, compared: Reconciled | None, oldest: datetime) -> Held | None:
    if missing:
        return Held.MISSING
    if compared is None:
        return None
    if not compared.agreed:
        return Held.DISAGREED
    return Held.OUTDATED if compared.at < oldest else None


def told(held: Held, missing: int) -> str:
    """Why nothing is erased, and what to do, in sentences."""
    match held:
        case Held.MISSING:
            return f"{missing} reports are missing in the case system. Recover them, then compare again."
        case Held.DISAGREED:
            return "the last comparison with the case system did not agree. Compare again."
        case Held.OUTDATED:
            return "the last comparison with the case system is too old. Compare again."
