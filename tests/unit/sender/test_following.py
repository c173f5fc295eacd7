"""Following a report: each state an event, whatever the platform tells."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from fiksmelding.alarms import AlarmKind
from fiksmelding.errors import AccessRefused, JournalError, NotFound, PlatformUnavailable
from fiksmelding.fiks import Status
from fiksmelding.journal import EventKind
from fiksmelding.journal.outbox import OutgoingState, SeenStatus, Step
from fiksmelding.sender import Progress
from fiksmelding.sender.follow_step import in_order
from support.shipping import Shipping

MakeShipping = Callable[..., Shipping]


async def test_each_state_is_an_event_and_levert_is_the_last(shipping: Shipping) -> None:
    await shipping.accepted()
    shipping.platform.comes_to("AKSEPTERT", "SENDT_FAGSYSTEM")
    await shipping.walk_on()
    shipping.platform.comes_to("LEVERT")
    delivered = await shipping.walk_on()
    assert delivered.state is OutgoingState.DELIVERED
    assert await shipping.kinds() == ["queued", "submitting", "submitted", "status", "status", "status", "delivered"]
    assert [told.tilstand for told in shipping.told if told.tilstand] == ["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"]
    assert shipping.alarms == []


async def test_a_report_whose_levert_was_the_last_that_a_killed_sender_recorded_is_delivered_all_the_same(
    shipping: Shipping,
) -> None:
    accepted = await shipping.accepted()
    shipping.platform.comes_to("LEVERT")
    [told] = in_order(shipping.platform.states)
    now = shipping.clock.now()
    await shipping.outbox.record(accepted, Step(event=EventKind.STATUS, due_at=now, statuses=(told,)), at=now)
    delivered = await shipping.walk()
    assert delivered is not None
    assert delivered.state is OutgoingState.DELIVERED


async def test_the_sealed_copies_go_after_the_time_they_are_kept(shipping: Shipping) -> None:
    delivered = await shipping.accepted()
    shipping.platform.comes_to("AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT")
    await shipping.walk_on()
    assert await shipping.walk(timedelta(days=29)) is None
    await shipping.outbox.copies(delivered)
    erased = await shipping.walk(timedelta(days=2))
    assert erased is not None
    assert erased.state is OutgoingState.ERASED
    with pytest.raises(JournalError):
        await shipping.outbox.copies(erased)
    assert (await shipping.kinds())[-1] == "erased"


async def test_asking_slows_down_while_nothing_changes_and_hurries_when_something_does(
    shipping: Shipping,
) -> None:
    waiting = await shipping.accepted()
    shipping.platform.comes_to("AKSEPTERT")
    waits: list[timedelta] = []
    for _ in range(14):
        waiting = await shipping.walk_on()
        assert waiting.due_at is not None
        waits.append(waiting.due_at - shipping.clock.now())
    assert waits[0] <= timedelta(seconds=2)
    assert timedelta(seconds=450) <= waits[-1] <= timedelta(seconds=900)
    shipping.platform.comes_to("SENDT_FAGSYSTEM")
    waiting = await shipping.walk_on()
    assert waiting.due_at is not None
    assert waiting.due_at - shipping.clock.now() <= timedelta(seconds=2)


async def test_a_letter_that_cannot_be_printed_is_a_grave_alarm_and_is_followed_on(shipping: Shipping) -> None:
    await shipping.accepted()
    shipping.platform.comes_to("AKSEPTERT", "SENDT_FAGSYSTEM", "AVVIST_FAGSYSTEM", "SENDT_PRINT", "AVVIST_PRINT")
    await shipping.walk_on()
    assert shipping.alarmed() == [AlarmKind.AVVIST_FAGSYSTEM, AlarmKind.AVVIST_PRINT]
    shipping.platform.comes_to("LEVERT")
    assert (await shipping.walk_on()).state is OutgoingState.DELIVERED


async def test_a_report_that_stands_still_is_told_of_again_and_again(make: MakeShipping) -> None:
    shipping = make(alarm_unmoved_hours=10)
    accepted = await shipping.accepted()
    shipping.platform.comes_to("AKSEPTERT", "SENDT_FAGSYSTEM")
    while shipping.clock.now() - accepted.moved_at < timedelta(hours=31):
        await shipping.walk_on()
    assert shipping.alarmed() == [AlarmKind.UNMOVED] * 3
    assert (await shipping.kinds()).count("stuck") == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["AKSEPTERT", "SENDT_FAGSYSTEM"], ["AKSEPTERT"]),
        (["AKSEPTERT", "SENDT_FAGSYSTEM", "AVVIST_FAGSYSTEM"], []),
    ],
)
async def test_states_that_are_taken_back_are_recorded_and_told(
    shipping: Shipping, before: list[str], after: list[str]
) -> None:
    await shipping.accepted()
    shipping.platform.comes_to(*before)
    await shipping.walk_on()
    shipping.alarms.clear()
    shipping.platform.states = shipping.platform.states[: len(after)]
    back = await shipping.walk_on()
    assert [status.tilstand for status in back.statuses] == after
    assert (back.state, shipping.alarmed()) == (OutgoingState.ACCEPTED, [AlarmKind.ODD_STATUS])
    last = (await shipping.outbox.events(back.id))[-1]
    assert last.detail["withdrawn"] == len(before) - len(after)
    await shipping.walk_on()
    assert len(await shipping.outbox.events(back.id)) == last.number, "once is enough"


async def test_going_back_and_unknown_states_are_recorded_told_and_followed_on(shipping: Shipping) -> None:
    await shipping.accepted()
    shipping.platform.comes_to("AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT", "SENDT_FAGSYSTEM", "NOE_HELT_NYTT")
    odd = await shipping.walk_on()
    assert (odd.state, odd.tilstand) == (OutgoingState.ACCEPTED, "NOE_HELT_NYTT")
    assert shipping.alarmed() == [AlarmKind.ODD_STATUS] * 2
    shipping.platform.comes_to("LEVERT")
    assert (await shipping.walk_on()).state is OutgoingState.DELIVERED


@pytest.mark.parametrize(
    "trouble", [PlatformUnavailable("down"), NotFound("no such report", status=404), AccessRefused("no", status=401)]
)
async def test_a_platform_that_does_not_tell_is_asked_again(
    shipping: Shipping, trouble: PlatformUnavailable | NotFound | AccessRefused
) -> None:
    await shipping.accepted()
    shipping.platform.troubles = [trouble] * 5
    waiting = await shipping.walk_on(5)
    assert waiting.state is OutgoingState.ACCEPTED
    assert shipping.alarmed() == ([AlarmKind.ACCESS_REFUSED] if isinstance(trouble, AccessRefused) else [])
    shipping.platform.comes_to("AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT")
    assert (await shipping.walk_on()).state is OutgoingState.DELIVERED


def test_states_are_told_oldest_first_with_or_without_zone_and_as_they_come_when_a_time_cannot_be_read() -> None:
    told = [
        Status("2026-03-02T13:00:05", "SENDT_FAGSYSTEM"),
        Status("2026-03-02T12:00:00Z", "AKSEPTERT"),
        Status("2026-03-02T12:00:09.123456789+00:00", "LEVERT"),
        Status("2026-03-02T12:00:00Z", "AKSEPTERT"),
    ]
    assert [status.tilstand for status in in_order(told)] == ["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"]
    unreadable = [Status("i går", "SENDT_FAGSYSTEM"), Status("x" * 1000, "AKSEPTERT")]
    assert [status.tilstand for status in in_order(unreadable)] == ["SENDT_FAGSYSTEM", "AKSEPTERT"]
    assert in_order(unreadable)[1] == SeenStatus("AKSEPTERT", "x" * 100)


async def test_one_who_follows_and_fails_harms_no_report(shipping: Shipping, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Progress) -> None:
        raise RuntimeError("Hemmelig")

    object.__setattr__(shipping.road.recorder, "on_progress", fail)
    await shipping.accepted()
    assert "RuntimeError" in caplog.text
    assert "Hemmelig" not in caplog.text
