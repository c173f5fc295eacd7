"""SQLite: those who wait at the same time share a commit, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal import Change, EventKind, Journal, State
from fiksmelding.journal.sqlite import SqliteDatabase
from support.arrivals import NOON, arrival
from support.journals import ask, kept


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with Journal(JournalSettings(url=f"sqlite:///{tmp_path}/journal.db")) as opened:
        yield opened


def engine_of(journal: Journal) -> Engine:
    database = journal._database
    assert isinstance(database, SqliteDatabase)
    return database._opened().engine


@pytest.fixture
def commits(journal: Journal) -> list[int]:
    """One element for each commit."""
    counted: list[int] = []
    event.listen(engine_of(journal), "commit", lambda _: counted.append(1))
    return counted


async def test_messages_that_come_together_share_a_sync_of_the_disk(journal: Journal, commits: list[int]) -> None:
    await asyncio.gather(*(journal.keep(arrival(), b"sealed") for _ in range(60)))
    assert len(commits) <= 3
    assert len(await journal.entries()) == 60


async def test_one_that_fails_takes_nothing_of_the_others_with_it(journal: Journal, commits: list[int]) -> None:
    entry = await kept(journal)
    change = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON)
    await journal.record(entry, change, at=NOON)
    repeated = arrival()
    outcomes = await asyncio.gather(
        journal.keep(arrival(), b"a"),
        journal.record(entry, change, at=NOON),
        journal.keep(repeated, b"b"),
        journal.keep(repeated, b"b"),
        journal.keep(arrival(), b"c"),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], JournalError)
    assert not [outcome for outcome in (*outcomes[:1], *outcomes[2:]) if isinstance(outcome, BaseException)]
    assert len(await journal.entries()) == 4
    assert await ask(journal, "select count(*) from chunks") == 4
    assert await journal.first_altered_event() is None


async def test_whoever_is_cancelled_while_waiting_harms_nobody(journal: Journal) -> None:
    keeping = [asyncio.create_task(journal.keep(arrival(), b"sealed")) for _ in range(20)]
    await asyncio.sleep(0)
    for task in keeping[::3]:
        task.cancel()
    outcomes = await asyncio.gather(*keeping, return_exceptions=True)
    confirmed = {outcome.entry_id for outcome in outcomes if not isinstance(outcome, BaseException)}
    assert len(confirmed) == 13
    assert confirmed <= {entry.id for entry in await journal.entries()}
    await journal.keep(arrival(), b"after")


async def test_nobody_hears_of_success_when_the_common_commit_fails(journal: Journal) -> None:
    def end_the_transaction(connection: Connection) -> None:
        # As SQLite itself does when a disk is full: the whole transaction is gone.
        connection.exec_driver_sql("ROLLBACK")
        raise OSError("the disk is full")

    outcomes = await asyncio.gather(
        journal.keep(arrival(), b"before"),
        journal._database.write(end_the_transaction),
        journal.keep(arrival(), b"after"),
        return_exceptions=True,
    )
    entries = [entry.id for entry in await journal.entries()]
    assert [type(outcome) for outcome in outcomes[:2]] == [JournalUnavailable, JournalUnavailable]
    confirmed = [outcome.entry_id for outcome in outcomes if not isinstance(outcome, BaseException) and outcome]
    assert entries == confirmed
    await journal.keep(arrival(), b"later")


async def test_who_writes_while_all_tasks_are_cancelled_is_answered(journal: Journal) -> None:
    """`asyncio.run` cancels every task at its end; those who then put things in order must not wait for ever."""
    under_way = asyncio.create_task(journal.keep(arrival(), b"under way"))
    await asyncio.wait({under_way}, timeout=0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    async with asyncio.timeout(30):
        await journal.keep(arrival(), b"after that")
    assert under_way.cancelled() or under_way.done()
    assert len(await journal.entries()) == 2
