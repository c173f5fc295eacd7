"""Journals to test on, of every kind of database."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from fiksmelding.journal import Answer, Arrival, Change, Entry, EventKind, Journal, Receipt, State
from support.arrivals import KONTO, NOON, arrival

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


async def registered(journal: Journal, reference: str, *, receipted: bool = True, konto_id: str = KONTO) -> Entry:
    """A report that the case system is said to have, and whose receipt the platform has taken unless told otherwise."""
    entry = await kept(journal, arrival(konto_id=konto_id), reference.encode())
    receipt = Receipt(Answer.MOTTATT, f"r-{entry.id}"[:36], taken_at=NOON if receipted else None)
    for change in (
        Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON, report_id=entry.id),
        Change(event=EventKind.REGISTERED, state=State.REGISTERED, due_at=NOON, reference=reference, receipt=receipt),
        *([Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None)] if receipted else []),
    ):
        entry = await journal.record(entry, change, at=NOON)
    return entry


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
