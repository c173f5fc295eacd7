"""Whether the event log is whole: the chain of each entry, and checkpoints over all of them."""

import math
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection, Row, Table, func, insert, select, union_all
from sqlalchemy.exc import IntegrityError

from fiksmelding.journal.chain import START, Seal, link
from fiksmelding.journal.database import Database
from fiksmelding.journal.records import Alteration, Checkpoint, Event
from fiksmelding.journal.rows import event_of
from fiksmelding.journal.tables import checkpoints, entries, events, outbox

CHAINED: Final = (entries, outbox)
"""The tables whose rows have a chain of events."""
BATCH: Final = 500
"""How many entries or events are looked at in one read: memory stays bounded, and writers are never in the way."""


async def last_checkpoint(database: Database) -> Checkpoint | None:
    """The newest checkpoint, or None before the first."""
    query = select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1)
    row = await database.read(lambda connection: connection.execute(query).first())
    return None if row is None else _checkpoint_of(row)


async def make_checkpoint(database: Database, at: datetime) -> Checkpoint | None:
    """Seal the events since the last checkpoint; None when there are none, or another process does it just now."""

    def cut(connection: Connection) -> int:
        database.event_cut(connection)
        return int(connection.execute(select(func.coalesce(func.max(events.c.sequence), 0))).scalar_one())

    last_sequence = await database.write(cut)
    before = await last_checkpoint(database)
    if (before is not None and before.last_sequence >= last_sequence) or last_sequence == 0:
        return None
    seal = Seal(before.hash if before else START)
    async for row in _between(database, before.last_sequence if before else 0, last_sequence):
        seal.add(sequence=row.sequence, entry_id=row.entry_id, number=row.number, hash=row.hash)
    made = Checkpoint(before.number + 1 if before else 1, at, last_sequence, seal.events, seal.hexdigest())
    values = {name: getattr(made, name) for name in ("number", "at", "last_sequence", "events", "hash")}
    try:
        await database.write(lambda connection: connection.execute(insert(checkpoints).values(values)))
    except IntegrityError:
        return None
    return made


async def holds_checkpoint(database: Database, hash: str) -> bool:  # noqa: A002 - what it is
    """Whether there is a checkpoint of that hash."""
    query = select(checkpoints.c.number).where(checkpoints.c.hash == hash)
    return await database.read(lambda connection: connection.execute(query).first()) is not None


async def first_altered(database: Database) -> Alteration | None:
    """The first place in the log that is not what it was when it was written; None if it is whole."""
    first: Alteration | None = None
    for look in (_altered_chains, _altered_checkpoints):
        async for found in look(database):
            first = found if first is None else min(first, found, key=_place)
    return first


async def first_altered_of_newest(database: Database, newest: int) -> Alteration | None:
    """The first place in the chains of the newest entries and reports to send that is not what it was."""
    for table in CHAINED:
        query = select(func.max(table.c.sequence))
        last = await database.read(lambda connection: connection.execute(query).scalar())  # noqa: B023 - awaited
        async for found in _altered_chains_of(database, table, after=max(0, (last or 0) - newest)):
            return found
    return None


def _place(alteration: Alteration) -> tuple[float, int]:
    # Where both a chain and a checkpoint show it, the chain knows more.
    return math.inf if alteration.sequence is None else alteration.sequence, alteration.checkpoint or 0


async def _altered_chains(database: Database) -> AsyncIterator[Alteration]:
    for table in CHAINED:
        async for altered in _altered_chains_of(database, table):
            yield altered
    known = union_all(*(select(table.c.id) for table in CHAINED))
    orphan = select(events).where(events.c.entry_id.not_in(known)).order_by(events.c.sequence).limit(1)
    row = await database.read(lambda connection: connection.execute(orphan).first())
    if row is not None:
        yield Alteration("the entry of this event was removed", row.sequence, row.entry_id, row.number)


async def _altered_chains_of(database: Database, table: Table, *, after: int = 0) -> AsyncIterator[Alteration]:
    while True:
        heads, told = await database.read(partial(_chains, table=table, after=after), one_view=True)
        for head in heads:
            altered = altered_in_chain(head.id, told[head.id], head.event_count, head.event_hash)
            if altered is not None:
                yield altered
        if len(heads) < BATCH:
            break
        after = heads[-1].sequence


def _chains(
    connection: Connection, *, table: Table, after: int
) -> tuple[Sequence[Row[int, str, int, str]], Mapping[str, Sequence[tuple[int, Event]]]]:
    """The heads of the next chains, and the events of each."""
    columns = table.c
    query = select(columns.sequence, columns.id, columns.event_count, columns.event_hash)
    heads = connection.execute(query.where(columns.sequence > after).order_by(columns.sequence).limit(BATCH)).all()
    return heads, _events_of(connection, [head.id for head in heads])


def _events_of(connection: Connection, entry_ids: Sequence[str]) -> Mapping[str, Sequence[tuple[int, Event]]]:
    query = select(events).where(events.c.entry_id.in_(entry_ids)).order_by(events.c.entry_id, events.c.number)
    told: dict[str, list[tuple[int, Event]]] = defaultdict(list)
    for row in connection.execute(query):
        told[row.entry_id].append((row.sequence, event_of(row)))
    return told


def altered_in_chain(entry_id: str, told: Iterable[tuple[int, Event]], count: int, last_hash: str) -> Alteration | None:
    """The first event of an entry that does not follow from those before it.

    Args:
        entry_id: The entry.
        told: Its events in order, each with its place in the log.
        count: How many there have been.
        last_hash: The hash of the last.
    """
    before, sequence, number = START, None, 0
    for number, (sequence, event) in enumerate(told, start=1):
        expected = link(before, entry_id=entry_id, number=number, at=event.at, kind=event.kind, detail=event.detail)
        if event.hash != expected:
            what = "an event before this one is missing" if event.number != number else "the event was altered"
            return Alteration(what, sequence, entry_id, event.number)
        before = event.hash
    if number < count:
        return Alteration("the entry's last events are missing", sequence, entry_id, number + 1)
    if number > count or before != last_hash:
        return Alteration("the entry does not end with this event", sequence, entry_id, number)
    return None


async def _altered_checkpoints(database: Database) -> AsyncIterator[Alteration]:
    query = select(checkpoints).order_by(checkpoints.c.number)
    rows = await database.read(lambda connection: connection.execute(query).all())
    before, covered = START, 0
    for number, checkpoint in enumerate(map(_checkpoint_of, rows), start=1):
        seal, gap, previous = Seal(before), None, covered
        async for row in _between(database, covered, checkpoint.last_sequence):
            if gap is None and row.sequence != previous + 1 and not database.shared:
                gap = previous + 1
            seal.add(sequence=row.sequence, entry_id=row.entry_id, number=row.number, hash=row.hash)
            previous = row.sequence
        if number != checkpoint.number or seal.hexdigest() != checkpoint.hash:
            yield Alteration(
                _difference(checkpoint, seal.events, covered), gap or covered + 1, checkpoint=checkpoint.number
            )
            return
        before, covered = checkpoint.hash, checkpoint.last_sequence


def _difference(checkpoint: Checkpoint, present: int, covered: int) -> str:
    where = f"between events {covered + 1} and {checkpoint.last_sequence} of the log"
    if present < checkpoint.events:
        return f"{checkpoint.events - present} events {where} were removed"
    if present > checkpoint.events:
        return f"{present - checkpoint.events} events {where} were added afterwards"
    return f"something {where} was altered, or the checkpoint before"


async def _between(database: Database, after: int, last: int) -> AsyncIterator[Row[int, str, int, str]]:
    columns = events.c
    while True:
        query = (
            select(columns.sequence, columns.entry_id, columns.number, columns.hash)
            .where(columns.sequence > after, columns.sequence <= last)
            .order_by(columns.sequence)
            .limit(BATCH)
        )
        rows = await database.read(lambda connection: connection.execute(query).all())  # noqa: B023 - awaited
        for row in rows:
            yield row
        if len(rows) < BATCH:
            return
        after = rows[-1].sequence


def _checkpoint_of(row: Row[*tuple[object, ...]]) -> Checkpoint:
    values = row._mapping  # noqa: SLF001 - the public way to read a row by name
    return Checkpoint(
        number=values[checkpoints.c.number],
        at=values[checkpoints.c.at],
        last_sequence=values[checkpoints.c.last_sequence],
        events=values[checkpoints.c.events],
        hash=values[checkpoints.c.hash],
    )
