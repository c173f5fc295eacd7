"""Which reports are to be recovered, and why others are not."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fiksmelding.errors import JournalError
from fiksmelding.journal import Answer, Entry, Journal, State
from fiksmelding.journal import Standing as JournalStanding
from fiksmelding.operations.period import Period
from fiksmelding.operations.reconciliation import Cause, Reconciliation


class Skipped(StrEnum):
    """Why a message is not handed over again."""

    ERASED = "erased"
    """Its original is gone."""
    NOT_ANSWERED = "not_answered"
    """It is on its way still, and is handed over as long as it takes."""
    QUARANTINED = "quarantined"
    """It cannot be opened: `fiksmelding quarantine retry` lets it be tried."""
    FEILET = "feilet"
    """It was answered `feilet`, and goes by letter; named by its id it is handed over all the same."""
    REPETITION = "repetition"
    """It holds a report that is handed over by itself."""
    NO_REPORT = "no_report"
    """It is a notice of the platform."""
    UNKNOWN = "unknown"
    """The journal of this account does not hold it."""
    IN_USE = "in_use"
    """It is just being worked on, or was asked for before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which reports are to be recovered; what is given adds up.

    Attributes:
        ids: By an id: the journal's, `melding-id`, `bekymringsmelding-id`, or the case system's reference.
        period: All that were kept in a period.
        reconciliation: All that a comparison did not find in the case system.
    """

    ids: Sequence[str] = field(default_factory=tuple)
    period: Period | None = None
    reconciliation: Reconciliation | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that was selected.

    Attributes:
        id: The journal's id of it, or whatever it was named by.
        skipped: Why it is not handed over again; None when it is.
    """

    id: str
    skipped: Skipped | None = None


async def selected(journal: Journal, selection: Selection, konto_id: str) -> AsyncIterator[Sequence[Candidate]]:
    """The messages of an account that a selection means, page after page; some perhaps twice.

    Raises:
        JournalUnavailable: They cannot be read.
    """
    for some_id in selection.ids:
        yield await _named(journal, some_id, konto_id)
    if selection.reconciliation is not None:
        for one in selection.reconciliation.differences:
            if one.cause is Cause.NOT_IN_CASE_SYSTEM and one.id is not None:
                yield await _listed(journal, one.id, konto_id)
    if selection.period is not None:
        async for page in journal.overview.standings(selection.period.start, selection.period.end, konto_id=konto_id):
            yield [Candidate(one.id, _obstacle(one, named=False)) for one in page]


async def _named(journal: Journal, some_id: str, konto_id: str) -> Sequence[Candidate]:
    found = [entry for entry in await journal.overview.with_id(some_id) if entry.arrival.konto_id == konto_id]
    if not found:
        return [Candidate(some_id, Skipped.UNKNOWN)]
    # Of a report and its repetitions the first one that is not erased stands for all.
    chosen: dict[str, Entry] = {}
    for entry in sorted(found, key=lambda entry: (entry.state is State.ERASED, entry.sequence)):
        chosen.setdefault(entry.duplicate_of or entry.id, entry)
    return [Candidate(entry.id, _obstacle(entry, named=True)) for entry in chosen.values()]


async def _listed(journal: Journal, entry_id: str, konto_id: str) -> Sequence[Candidate]:
    try:
        entry = await journal.entry(entry_id)
    except JournalError:
        return [Candidate(entry_id, Skipped.UNKNOWN)]
    if entry.arrival.konto_id != konto_id:
        return [Candidate(entry_id, Skipped.UNKNOWN)]
    if entry.state is State.ERASED:
        return await _named(journal, entry_id, konto_id)  # a repetition may hold it still
    return [Candidate(entry.id, _obstacle(entry, named=False))]


def _obstacle(one: Entry | JournalStanding, *, named: bool) -> Skipped | None:
    answer = one.answer if isinstance(one, JournalStanding) else one.receipt.answer if one.receipt else None
    if not named and one.duplicate_of is not None:
        return Skipped.REPETITION
    match one.state:
        case State.ERASED:
            return Skipped.ERASED
        case State.QUARANTINED:
            return Skipped.QUARANTINED
        case State.NOTED:
            return Skipped.NO_REPORT
    if answer is None:
        return Skipped.NOT_ANSWERED
    return Skipped.FEILET if answer is Answer.FEILET and not named else None
