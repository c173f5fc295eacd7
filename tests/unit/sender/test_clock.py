"""A clock that jumps ahead and is set right again must not make a report wait for a time that is not coming."""

from collections.abc import Callable
from datetime import timedelta

from fiksmelding.alarms import AlarmKind
from fiksmelding.config import SenderSettings
from fiksmelding.errors import PlatformUnavailable
from fiksmelding.journal.outbox import OutgoingState
from fiksmelding.sender.waits import CLOCKS_DIFFER, longest_waits
from support.shipping import Shipping

MakeShipping = Callable[..., Shipping]
A_YEAR = timedelta(days=365)


async def put_right(shipping: Shipping) -> int:
    return await shipping.outbox.end_impossible_waits(
        shipping.clock.now(),
        longest_waits=longest_waits(SenderSettings()),
        longest_lease=timedelta(minutes=10),
        clocks_differ=CLOCKS_DIFFER,
    )


async def test_no_ordinary_wait_is_taken_for_an_impossible_one(shipping: Shipping) -> None:
    await shipping.keep()
    shipping.platform.troubles = [PlatformUnavailable("down", status=503)] * 12
    for _ in range(12):
        await shipping.walk_on()
        assert await put_right(shipping) == 0
    await shipping.walk_on()
    for _ in range(12):
        assert await put_right(shipping) == 0
        await shipping.walk_on()
    shipping.platform.comes_to("AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT")
    assert (await shipping.walk_on()).state is OutgoingState.DELIVERED
    assert await put_right(shipping) == 0


async def test_a_report_that_failed_while_the_clock_was_ahead_is_sent_once_it_is_right(shipping: Shipping) -> None:
    await shipping.keep()
    shipping.platform.troubles = [PlatformUnavailable("down", status=503)]
    shipping.clock.advance(timedelta(hours=6))
    await shipping.walk()
    shipping.clock.set_back(timedelta(hours=6))
    assert await shipping.walk(timedelta(minutes=10)) is None
    assert await put_right(shipping) == 1
    walked = await shipping.walk()
    assert walked is not None
    assert walked.state is OutgoingState.ACCEPTED


async def test_a_report_kept_a_year_ahead_is_missed_like_any_other_when_the_platform_does_not_take_it(
    shipping: Shipping,
) -> None:
    shipping.clock.advance(A_YEAR)
    await shipping.keep()
    shipping.clock.set_back(A_YEAR)
    await put_right(shipping)
    shipping.platform.troubles = [PlatformUnavailable("down", status=503)] * 60
    await shipping.walk_on(24)
    assert shipping.alarmed() == [AlarmKind.UNSENT]


async def test_a_report_that_moved_a_year_ahead_is_missed_when_it_stands_still(shipping: Shipping) -> None:
    await shipping.keep()
    shipping.clock.advance(timedelta(days=200))
    await shipping.walk()
    shipping.clock.set_back(timedelta(days=200))
    await put_right(shipping)
    await shipping.walk(timedelta(hours=1))
    await shipping.walk(timedelta(hours=73))
    assert shipping.alarmed() == [AlarmKind.UNMOVED]
