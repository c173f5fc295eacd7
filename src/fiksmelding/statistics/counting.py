"""Counting: one pass over the journal, page by page."""

from bisect import bisect_right
from datetime import UTC, date, datetime, time
from functools import lru_cache

from fiksmelding.clock import NORWAY, Clock, SystemClock
from fiksmelding.config import JournalSettings, Settings
from fiksmelding.errors import JournalError
from fiksmelding.fiks import FiksSession, Reports
from fiksmelding.journal import Answer, migrations
from fiksmelding.journal.counting import Received, Sent
from fiksmelding.journal.viewing import JournalView
from fiksmelding.messages import REPORT_TYPES
from fiksmelding.operations import Period
from fiksmelding.statistics.tally import UNKNOWN, Tally, class_of, months_of

__all__ = ["count", "look_up_names"]

BY_LETTER = frozenset({"SENDT_PRINT", "AVVIST_PRINT"})


async def count(
    settings: Settings, period: Period, *, kommunenummer: str | None = None, all_accounts: bool = False
) -> Tally:
    """Count the reports of a period, those received and those sent.

    The journal is only read, beside a receiver that works.

    Args:
        settings: Whose reports: account and journal.
        period: When they were kept.
        kommunenummer: The municipality of reports whose own is not known: those that were received before the journal
            kept it, and those that could not be read.
        all_accounts: Count those of every account in the journal.

    Raises:
        JournalError: There is no journal of the present version.
        JournalUnavailable: It cannot be read.
    """
    konto_id = None if all_accounts else str(settings.account.id)
    return await count_journal(settings.journal, period, konto_id=konto_id, kommunenummer=kommunenummer)


async def count_journal(
    settings: JournalSettings, period: Period, *, konto_id: str | None = None, kommunenummer: str | None = None
) -> Tally:
    """As `count`, of one account or of all, where only the journal is known."""
    first, until = (moment.astimezone(NORWAY).date() for moment in (period.start, period.end))
    tally, months = Tally(first, until), _Months(first, until)
    async with JournalView(settings) as journal:
        if await journal.version() != migrations.head():
            raise JournalError(
                "The journal is not of the present version.",
                advice="Back it up, then run `fiksmelding journal migrate`.",
            )
        async for page in journal.received_reports(period.start, period.end, konto_id=konto_id):
            for report in page:
                _add_received(tally, report, months, kommunenummer or UNKNOWN)
        async for outgoing in journal.sent_reports(period.start, period.end):
            for one in outgoing:
                _add_sent(tally, one, months)
    return tally


def _add_received(tally: Tally, report: Received, months: "_Months", otherwise: str) -> None:
    kind = _kind(report.melding_type or "")
    if kind is None:
        return
    kommune = report.kommunenummer or otherwise
    values = (
        kommune,
        f"{kommune}-{report.bydelsnummer or UNKNOWN}",
        kind,
        months.of(report.received_at),
        report.leveringskanal or UNKNOWN,
    )
    tally.add(
        "received",
        values,
        letter=report.answer == Answer.FEILET,
        registered=None if report.registered_after is None else class_of(report.registered_after),
        receipted=None if report.taken_after is None else class_of(report.taken_after),
    )


def _add_sent(tally: Tally, report: Sent, months: "_Months") -> None:
    kind = _kind(report.message_type)
    if kind is None:
        return
    told = {tilstand: _moment(tidspunkt) for tilstand, tidspunkt in report.statuses}
    arrived = told.get("LEVERT")
    values = (
        report.kommunenummer,
        f"{report.kommunenummer}-{report.bydelsnummer}",
        kind,
        months.of(report.kept_at),
        UNKNOWN,
    )
    tally.add(
        "sent",
        values,
        letter=not BY_LETTER.isdisjoint(told),
        registered=None if arrived is None else class_of((arrived - report.kept_at).total_seconds()),
        receipted=None,
    )


@lru_cache(maxsize=100)
def _kind(message_type: str) -> str | None:
    return message_type.split(".")[-2] if message_type in REPORT_TYPES else None


def _moment(text: str) -> datetime | None:
    """A time of the platform's, with a zone or in Norwegian time without (contract section 10)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=NORWAY)


class _Months:
    """Finds the Norwegian month of a moment without converting each."""

    def __init__(self, first: date, until: date) -> None:
        self._names = months_of(first, until)
        begins = [date.fromisoformat(f"{name}-01") for name in self._names]
        self._begin = [datetime.combine(day, time(), NORWAY).astimezone(UTC) for day in begins]

    def of(self, moment: datetime) -> str:
        return self._names[max(0, bisect_right(self._begin, moment) - 1)]


async def look_up_names(settings: Settings, *, clock: Clock | None = None) -> dict[str, str]:
    """The names of every municipality and office, from the platform.

    Raises:
        PlatformError: It does not tell them now.
    """
    async with FiksSession(settings, clock=clock or SystemClock()) as session:
        names: dict[str, str] = {}
        for kommune in await Reports(session).kommuner():
            names[kommune.kommunenr] = kommune.navn
            names |= {f"{kommune.kommunenr}-{bydel.bydelsnummer}": bydel.bydelsnavn for bydel in kommune.bydeler}
        return names
