import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import EventKind, Journal, Kept, State
from support.arrivals import NOON, arrival
from support.journals import LEASE, ask, stored


async def test_a_kept_message_is_there_after_the_journal_is_opened_again(at: JournalSettings) -> None:
    delivery = arrival(klient_melding_id="k-1")
    async with Journal(at) as journal:
        kept = await journal.keep(delivery, b"sealed" * 1000)
    async with Journal(at) as journal:
        entry = await journal.entry(kept.entry_id)
        assert entry.arrival == delivery
        assert entry.state is State.RECEIVED
        assert entry.size == 6000
        assert await stored(journal, kept.entry_id) == b"sealed" * 1000


async def test_a_redelivered_message_is_kept_once_and_noted(journal: Journal) -> None:
    delivery = arrival()
    first = await journal.keep(delivery, b"sealed")
    again = await journal.keep(delivery, b"sealed")
    assert not first.repeated
    assert again.repeated
    assert again.entry_id == first.entry_id
    assert len(await journal.entries()) == 1
    assert [event.kind for event in await journal.events(first.entry_id)] == [EventKind.KEPT, EventKind.REDELIVERED]


async def test_another_body_under_the_same_melding_id_is_kept_too(journal: Journal) -> None:
    delivery = arrival()
    first = await journal.keep(delivery, b"one child")
    other = await journal.keep(delivery, b"another child")
    assert other.entry_id != first.entry_id
    assert await stored(journal, other.entry_id) == b"another child"


async def test_messages_without_an_id_are_told_apart_by_their_bytes(journal: Journal) -> None:
    nameless = arrival()
    nameless = type(nameless)(
        konto_id=nameless.konto_id,
        melding_id=None,
        melding_type=None,
        avsender_id=None,
        missing=("melding-id", "type", "avsender-id"),
        received_at=nameless.received_at,
        deadline_at=nameless.deadline_at,
    )
    first = await journal.keep(nameless, b"a")
    second = await journal.keep(nameless, b"b")
    again = await journal.keep(nameless, b"a")
    assert first.entry_id != second.entry_id
    assert again.entry_id == first.entry_id
    assert (await journal.entry(first.entry_id)).arrival.missing == nameless.missing


async def pieces_of(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=5000), size=st.integers(1, 3000))
async def test_a_downloaded_payload_is_stored_whole_however_it_is_cut(
    at: JournalSettings, body: bytes, size: int
) -> None:
    async with Journal(at) as journal:
        kept = await journal.keep_stream(arrival(dokumentlager_id="d-1"), pieces_of(body, size))
        assert await stored(journal, kept.entry_id) == body
        assert (await journal.entry(kept.entry_id)).size == len(body)


async def test_a_redelivered_message_by_document_is_not_downloaded_again(journal: Journal) -> None:
    delivery = arrival(dokumentlager_id="d-1")

    asked: list[str] = []

    async def downloaded() -> AsyncIterator[bytes]:
        asked.append("d-1")
        yield b"x" * 3000

    first = await journal.keep_stream(delivery, downloaded())
    again = await journal.keep_stream(delivery, downloaded())
    assert asked == ["d-1"]
    assert again.repeated
    assert again.entry_id == first.entry_id


async def test_a_download_that_breaks_off_keeps_nothing_and_leaves_nothing(at: JournalSettings) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 4096
        raise ConnectionResetError

    async with Journal(at) as journal:
        with pytest.raises(ConnectionResetError):
            await journal.keep_stream(arrival(dokumentlager_id="d-1"), broken())
        assert await journal.entries() == []
        assert await ask(journal, "select count(*) from chunks") == 0


async def test_a_download_under_way_survives_that_another_opens_the_journal(at: JournalSettings) -> None:
    async with Journal(at) as journal:

        async def slowly() -> AsyncIterator[bytes]:
            yield b"x" * 4096
            async with Journal(at):
                pass
            yield b"y" * 4096

        kept = await journal.keep_stream(arrival(dokumentlager_id="d-1"), slowly())
        assert await stored(journal, kept.entry_id) == b"x" * 4096 + b"y" * 4096


async def endless(begun: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"x" * 4096
    begun.set()
    await asyncio.Event().wait()


async def begin_download(journal: Journal) -> asyncio.Task[Kept]:
    begun = asyncio.Event()
    download = asyncio.create_task(journal.keep_stream(arrival(dokumentlager_id="d-1"), endless(begun)))
    await asyncio.wait_for(begun.wait(), 5)
    return download


async def rows(journal: Journal) -> tuple[object, object]:
    return await ask(journal, "select count(*) from downloads"), await ask(journal, "select count(*) from chunks")


async def test_a_download_that_is_cancelled_leaves_nothing(journal: Journal) -> None:
    download = await begin_download(journal)
    assert await rows(journal) == (1, 4)
    download.cancel()
    await asyncio.wait([download])
    assert download.cancelled()
    assert await rows(journal) == (0, 0)


async def crash_while_downloading(at: JournalSettings) -> None:
    async with Journal(at) as crashing:
        download = await begin_download(crashing)
    download.cancel()
    await asyncio.wait([download])


async def test_what_a_crash_left_of_a_download_is_cleared_away_after_a_day(at: JournalSettings) -> None:
    await crash_while_downloading(at)
    async with Journal(at) as journal:
        await journal.drop_leftovers(NOON + timedelta(hours=23))
        assert await rows(journal) == (1, 4)
        own = await begin_download(journal)
        await journal.drop_leftovers(NOON + timedelta(hours=25))
        assert await rows(journal) == (1, 4)
        own.cancel()
        await asyncio.wait([own])
        assert await rows(journal) == (0, 0)


async def test_where_one_process_works_alone_it_clears_away_at_once(at: JournalSettings) -> None:
    await crash_while_downloading(at)
    async with Journal(at) as journal:
        own = await begin_download(journal)
        await journal.claim(NOON, owner="a", lease=LEASE, limit=1)
        assert await rows(journal) == ((2, 8) if journal.shared else (1, 4))
        own.cancel()
        await asyncio.wait([own])


async def test_a_message_whose_body_cannot_be_had_is_kept_once_with_the_reason(journal: Journal) -> None:
    delivery = arrival(dokumentlager_id="d-1")
    first = await journal.keep_without_body(delivery, "its document is gone")
    again = await journal.keep_without_body(delivery, "another reason")
    assert (again.entry_id, again.repeated) == (first.entry_id, True)
    entry = await journal.entry(first.entry_id)
    assert (entry.size, entry.state, entry.reason) == (0, State.RECEIVED, "its document is gone")
    assert (await journal.events(entry.id))[0].detail["no_body"] == "its document is gone"


async def test_two_that_download_the_same_message_keep_it_once(journal: Journal) -> None:
    delivery = arrival(dokumentlager_id="d-1")
    twice = [journal.keep_stream(delivery, pieces_of(b"z" * 3000, 700)) for _ in range(2)]
    first, second = await asyncio.gather(*twice)
    assert first.entry_id == second.entry_id
    assert first.repeated != second.repeated
    assert await ask(journal, "select count(*) from chunks") == 3
    assert await ask(journal, "select count(*) from downloads") == 0


async def test_a_journal_used_outside_its_block_says_so(at: JournalSettings) -> None:
    journal = Journal(at)
    with pytest.raises(JournalError, match="not open"):
        await journal.entries()
    async with journal:
        pass
    await journal.aclose()


async def test_an_unknown_entry_is_named_in_the_error(journal: Journal) -> None:
    with pytest.raises(JournalError, match="no such message"):
        await journal.entry("none")
