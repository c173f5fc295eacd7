"""What was kept in a period: read page by page, each from where the one before it ended."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, or_, select, union

from fiksmelding.journal.queries import of_account
from fiksmelding.journal.records import Standing
from fiksmelding.journal.states import Answer, State
from fiksmelding.journal.tables import entries, receipts

PAGE: Final = 1000
"""How many are read at once."""


class Place(NamedTuple):
    """Where to go on reading.

    Attributes:
        received_at: When the last one read was kept.
        sequence: Its place in the order of keeping, which tells those of one moment apart.
    """

    received_at: datetime
    sequence: int


def before_all(start: datetime) -> Place:
    """Before all that was kept at `start` or later."""
    return Place(start, 0)


def after(last: Standing) -> Place:
    """After one that was read."""
    return Place(last.received_at, last.sequence)


_COLUMNS: Final = (
    entries.c.id,
    entries.c.sequence,
    entries.c.konto_id,
    entries.c.melding_type,
    entries.c.received_at,
    entries.c.deadline_at,
    entries.c.state,
    entries.c.due_at,
    entries.c.attempts,
    entries.c.report_id,
    entries.c.duplicate_of,
    entries.c.reference,
    entries.c.reason,
    entries.c.missing_at,
    entries.c.settled_at,
    receipts.c.answer,
    receipts.c.taken_at,
)
_STANDINGS: Final = (
    select(*_COLUMNS)
    .select_from(entries.outerjoin(receipts, receipts.c.entry_id == entries.c.id))
    .where(
        entries.c.received_at >= bindparam("from_moment"),
        entries.c.received_at < bindparam("end"),
        or_(entries.c.received_at > bindparam("from_moment"), entries.c.sequence > bindparam("from_sequence")),
    )
    .order_by(entries.c.received_at, entries.c.sequence)
    .limit(PAGE)
)
_KNOWN: Final = union(
    *(
        select(column).where(column.in_(bindparam("wanted", expanding=True)))
        for column in (entries.c.reference, entries.c.report_id)
    )
)


def standings(connection: Connection, place: Place, end: datetime, konto_id: str | None) -> Sequence[Standing]:
    """The next page of what was kept before `end`."""
    query = _STANDINGS.where(*of_account(konto_id))
    wanted = {"from_moment": place.received_at, "from_sequence": place.sequence, "end": end}
    return [_standing_of(row) for row in connection.execute(query, wanted)]


def known(connection: Connection, references: Collection[str]) -> frozenset[str]:
    """Those of some references, or report ids, that an entry has."""
    return frozenset(connection.execute(_KNOWN, {"wanted": list(references)}).scalars())


def _standing_of(row: Row[*tuple[object, ...]]) -> Standing:
    values = row._mapping  # noqa: SLF001 - the public way to read a row by name
    named = {column.name: values[column] for column in _COLUMNS}
    answer = named["answer"]
    return Standing(**{**named, "state": State(named["state"]), "answer": None if answer is None else Answer(answer)})
