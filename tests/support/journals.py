"""Journals to test on, of every kind of database."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from fiksmelding.journal import Arrival, Change, Entry, EventKind, Journal, State
from support.arrivals import NOON, arrival

LEASE = timedelta(seconds=60)
ROADS: Mapping[State, Sequence[State]] = {
    State.RECEIVED: [],
    State.OPENED: [State.OPENED],
    State.REGISTERED: [State.OPENED, State.REGISTERED],
    State.CONFIRMED: [State.OPENED, State.REGISTERED, State.CONFIRMED],
    State.REJECTED: [State.OPENED, State.REJECTED],
    State.RECEIPTED: [State.OPENED, State.REJECTED, State.RECEIPTED],
    State.QUARANTINED: [State.QUARANTINED],
    State.NOTED: [State.NOTED],
    State.ERASED: [State.OPENED, State.REJECTED, State.RECEIPTED],
}


async def kept(journal: Journal, delivery: Arrival | None = None, body: bytes = b"sealed") -> Entry:
    """A message that was just kept."""
    answer = await journal.keep(delivery or arrival(), body)
    return await journal.entry(answer.entry_id)


async def walked_to(journal: Journal, state: State) -> Entry:
    """A message that has come to a state."""
    entry = await kept(journal)
    for step in ROADS[state]:
        entry = await journal.record(entry, Change(event=EventKind.OPENED, state=step, due_at=NOON), at=NOON)
    return await journal.erase(entry, at=NOON) if state is State.ERASED else entry


async def stored(journal: Journal, entry_id: str) -> bytes:
    """The sealed original."""
    return b"".join([piece async for piece in journal.payload(await journal.entry(entry_id))])


async def tamper(journal: Journal, *statements: str) -> None:
    """Do to the database what nobody should."""

    def work(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    await journal._database.write(work)


async def ask(journal: Journal, question: str) -> object:
    """A single value out of the database."""
    return await journal._database.read(lambda connection: connection.exec_driver_sql(question).scalar_one())
