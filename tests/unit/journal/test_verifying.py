from datetime import timedelta

import pytest

from fiksmelding.cli.journal import migrate, verify
from fiksmelding.cli.output import Exit
from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import Alteration, Journal, State
from support.arrivals import NOON
from support.journals import ask, kept, tamper, walked_to


async def log_of_three(journal: Journal) -> list[str]:
    """Three messages with two events each; returns their ids."""
    return [(await walked_to(journal, State.OPENED)).id for _ in range(3)]


async def sealed(journal: Journal) -> str:
    made = await journal.checkpoint(NOON)
    assert made is not None
    return made.hash


async def altered(journal: Journal) -> Alteration:
    found = await journal.first_altered_event()
    assert found is not None
    return found


async def test_a_log_that_nobody_touched_is_whole_and_sealed_bit_by_bit(journal: Journal) -> None:
    assert await journal.checkpoint(NOON) is None
    await log_of_three(journal)
    first = await journal.checkpoint(NOON)
    assert await journal.checkpoint(NOON) is None
    await log_of_three(journal)
    second = await journal.checkpoint(NOON + timedelta(hours=1))
    assert first is not None
    assert second is not None
    assert (first.number, first.events, second.number, second.events) == (1, 6, 2, 6)
    assert await journal.last_checkpoint() == second
    assert await journal.first_altered_event() is None


async def test_of_several_altered_events_the_first_is_named(journal: Journal) -> None:
    ids = await log_of_three(journal)
    await tamper(journal, "update events set kind = 'erased' where sequence in (4, 5)")
    assert await altered(journal) == Alteration("the event was altered", 4, ids[1], 2)


async def test_a_cut_off_tail_shows_before_any_checkpoint_seals_it(journal: Journal) -> None:
    ids = await log_of_three(journal)
    await tamper(journal, "delete from events where sequence = 6")
    found = await altered(journal)
    assert (found.what, found.entry_id, found.number) == ("the entry's last events are missing", ids[2], 2)


async def test_an_event_added_by_another_hand_shows(journal: Journal) -> None:
    [first, *_] = await log_of_three(journal)
    await tamper(
        journal,
        "insert into events (sequence, entry_id, number, at, kind, detail, hash) "
        "select 99, entry_id, 3, at, kind, detail, hash from events where sequence = 2",
    )
    assert (await altered(journal)).entry_id == first


async def test_an_entry_whose_row_was_removed_shows(journal: Journal) -> None:
    ids = await log_of_three(journal)
    await tamper(journal, "delete from entries where sequence = 2")
    found = await altered(journal)
    assert (found.what, found.sequence, found.entry_id) == ("the entry of this event was removed", 3, ids[1])


async def test_an_entry_removed_with_all_its_events_shows_at_the_checkpoint(journal: Journal) -> None:
    await log_of_three(journal)
    await sealed(journal)
    await tamper(journal, "delete from entries where sequence = 2", "delete from events where sequence in (3, 4)")
    found = await altered(journal)
    assert found.checkpoint == 1
    assert found.what.startswith("2 events between events 1 and 6 of the log were removed")
    assert found.sequence == (1 if journal.shared else 3)


async def test_a_tail_cut_off_with_care_shows_at_the_checkpoint(journal: Journal) -> None:
    await log_of_three(journal)
    await sealed(journal)
    await tamper(
        journal,
        "update entries set event_count = 1, state = 'RECEIVED', "
        "event_hash = (select hash from events where sequence = 5) where sequence = 3",
        "delete from events where sequence = 6",
    )
    found = await altered(journal)
    assert (found.checkpoint, found.what) == (1, "1 events between events 1 and 6 of the log were removed")


async def test_a_checkpoint_that_was_altered_or_removed_shows(journal: Journal) -> None:
    for _ in range(2):
        await log_of_three(journal)
        await sealed(journal)
    await tamper(journal, "update checkpoints set hash = 'x' where number = 1")
    assert (await altered(journal)).checkpoint == 1
    await tamper(journal, "delete from checkpoints where number = 1")
    assert (await altered(journal)).checkpoint == 2


async def test_events_written_while_a_checkpoint_is_made_belong_to_the_next(at: JournalSettings) -> None:
    async with Journal(at) as journal, Journal(at) as other:
        await kept(journal)
        await sealed(journal)
        await kept(other)
        await sealed(other)
        assert await journal.first_altered_event() is None
        assert await ask(journal, "select count(*) from checkpoints") == 2


async def test_verify_tells_that_the_log_is_whole_or_where_it_is_not(
    at: JournalSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await migrate(at) is Exit.FINE
    async with Journal(at) as journal:
        ids = await log_of_three(journal)
        noted = await sealed(journal)
    assert await verify(at, checkpoint=noted) is Exit.FINE
    assert f"The event log is whole.\nLast checkpoint: number 1, 2026-03-02T12:00:00+00:00, {noted}" in (
        capsys.readouterr().out
    )
    with pytest.raises(JournalError, match="does not hold that checkpoint"):
        await verify(at, checkpoint="f" * 64)
    async with Journal(at) as journal:
        await tamper(journal, "update events set kind = 'erased' where sequence = 4")
    assert await verify(at) is Exit.PROBLEM
    assert f"the event was altered (entry {ids[1]}, event 2, place in the log 4)" in capsys.readouterr().out
    assert await verify(at, as_json=True) is Exit.PROBLEM
    assert '"firstAltered": {' in capsys.readouterr().out
