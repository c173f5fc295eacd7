"""What is counted of many reports: read page by page, without anything that is about a person."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, DateTime, bindparam, or_, select, type_coerce

from fiksmelding.journal.queries import of_account
from fiksmelding.journal.states import State
from fiksmelding.journal.tables import entries, outbox, receipts

__all__ = ["PAGE", "Received", "Sent", "received", "sent"]

PAGE: Final = 5_000
"""How many are read at once."""


class Received(NamedTuple):
    """A report that was received.

    Attributes:
        received_at: When it was kept, aware UTC.
        sequence: Its place in the order of keeping.
        melding_type: Its message type.
        kommunenummer: The municipality; None when it is not known.
        bydelsnummer: The office; None when it is not known.
        leveringskanal: The channel; None when it is not known.
        registered_after: How long it took until the case system had it, in seconds; None when it never did.
        answer: Its answer, `mottatt` or `feilet`, once decided.
        taken_after: How long it took until the platform had taken the answer, in seconds; None when it has not.
    """

    received_at: datetime
    sequence: int
    melding_type: str | None
    kommunenummer: str | None
    bydelsnummer: str | None
    leveringskanal: str | None
    registered_after: float | None
    answer: str | None
    taken_after: float | None


class Sent(NamedTuple):
    """A report that was to be sent.

    Attributes:
        sequence: Its place in the order of keeping.
        kept_at: When it was sealed, aware UTC.
        message_type: Its message type.
        kommunenummer: The municipality.
        bydelsnummer: The office.
        statuses: The states at the platform, each with its time as the platform wrote it, oldest first.
    """

    sequence: int
    kept_at: datetime
    message_type: str
    kommunenummer: str
    bydelsnummer: str
    statuses: Sequence[tuple[str, str]]


def _plain(column: Column[datetime]) -> ColumnElement[datetime]:
    """A time as the database gives it, without a zone on SQLite: of a million, most are only subtracted."""
    return type_coerce(column, DateTime(timezone=True))


_RECEIVED: Final = (
    select(
        _plain(entries.c.received_at),
        entries.c.sequence,
        entries.c.melding_type,
        entries.c.kommunenummer,
        entries.c.bydelsnummer,
        entries.c.leveringskanal,
        _plain(entries.c.registered_at),
        receipts.c.answer,
        _plain(receipts.c.taken_at),
    )
    .select_from(entries.outerjoin(receipts, receipts.c.entry_id == entries.c.id))
    .where(
        entries.c.received_at >= bindparam("from_moment"),
        entries.c.received_at < bindparam("end"),
        or_(entries.c.received_at > bindparam("from_moment"), entries.c.sequence > bindparam("from_sequence")),
        entries.c.duplicate_of.is_(None),
        entries.c.state != State.NOTED.value,
    )
    .order_by(entries.c.received_at, entries.c.sequence)
    .limit(PAGE)
)
_SENT: Final = (
    select(
        outbox.c.sequence,
        outbox.c.kept_at,
        outbox.c.message_type,
        outbox.c.kommunenummer,
        outbox.c.bydelsnummer,
        outbox.c.statuses,
    )
    .where(
        outbox.c.sequence > bindparam("after"),
        outbox.c.kept_at >= bindparam("start"),
        outbox.c.kept_at < bindparam("end"),
        outbox.c.report_id.is_not(None),
    )
    .order_by(outbox.c.sequence)
    .limit(PAGE)
)


def received(
    connection: Connection, *, place: tuple[datetime, int], end: datetime, konto_id: str | None
) -> Sequence[Received]:
    """The next page of the reports that were received before `end`, after a place: a moment and a sequence in it."""
    wanted = {"from_moment": place[0], "from_sequence": place[1], "end": end}
    rows = connection.execute(_RECEIVED.where(*of_account(konto_id)), wanted).all()
    return [
        Received(
            came if came.tzinfo else came.replace(tzinfo=UTC),
            sequence,
            kind,
            kommune,
            bydel,
            kanal,
            _seconds(came, registered),
            answer,
            _seconds(came, taken),
        )
        for came, sequence, kind, kommune, bydel, kanal, registered, answer, taken in rows
    ]


def _seconds(begin: datetime, end: datetime | None) -> float | None:
    # A clock that was set back makes no time negative.
    return None if end is None else max(0.0, (end - begin).total_seconds())


def sent(connection: Connection, *, after: int, start: datetime, end: datetime) -> Sequence[Sent]:
    """The next page of the reports that the platform took, kept from `start` until before `end`."""
    wanted = {"after": after, "start": start, "end": end}
    return [Sent._make(row) for row in connection.execute(_SENT, wanted)]
