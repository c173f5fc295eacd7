"""What is taken is kept until it is confirmed, over any number of broken connections."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.errors import BrokerUnavailable
from fiksmelding.simulator.queues import QueuedMessage
from fiksmelding.simulator.rabbitmq.outbox import Outbox, Outgoing


def outgoing(name: str) -> Outgoing:
    return Outgoing("q", QueuedMessage({}), name)


class Wire:
    """A connection that confirms so many publications and then breaks, after `arriving` more have arrived."""

    def __init__(self, arrived: list[str], *, confirms: int, arriving: int = 0) -> None:
        self._arrived = arrived
        self._confirms = confirms
        self._arriving = arriving

    async def publish(self, one: Outgoing) -> None:
        if self._confirms > 0:
            self._confirms -= 1
            self._arrived.append(one.id)
            return
        if self._arriving > 0:
            self._arriving -= 1
            self._arrived.append(one.id)
        raise BrokerUnavailable("broken")


async def send_over(outbox: Outbox, wire: Wire) -> None:
    sending = asyncio.ensure_future(outbox.send(wire.publish))
    settled = asyncio.ensure_future(outbox.settled())
    await asyncio.wait({sending, settled}, return_when=asyncio.FIRST_COMPLETED)
    for one in (sending, settled):
        one.cancel()
    with suppress(asyncio.CancelledError, ExceptionGroup):
        await sending


@given(
    breaks=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=6),
    count=st.integers(min_value=1, max_value=12),
)
def test_each_message_arrives_and_only_one_in_doubt_comes_again(breaks: list[tuple[int, int]], count: int) -> None:
    async def scenario() -> None:
        outbox, arrived = Outbox(), list[str]()
        names = [str(number) for number in range(count)]
        for name in names:
            outbox.put(outgoing(name))
        for confirms, arriving in breaks:
            await send_over(outbox, Wire(arrived, confirms=confirms, arriving=arriving))
        await send_over(outbox, Wire(arrived, confirms=count))
        assert not len(outbox)
        assert list(dict.fromkeys(arrived)) == names
        assert len(arrived) - count <= sum(arriving for _, arriving in breaks)

    asyncio.run(scenario())


async def test_what_is_put_while_sending_follows() -> None:
    outbox, arrived = Outbox(), list[str]()
    sending = asyncio.create_task(outbox.send(Wire(arrived, confirms=100).publish))
    for name in ("1", "2", "3"):
        outbox.put(outgoing(name))
        await outbox.settled()
    sending.cancel()
    await asyncio.wait({sending})
    assert arrived == ["1", "2", "3"]


async def test_a_message_sent_again_is_told(caplog: pytest.LogCaptureFixture) -> None:
    outbox = Outbox()
    outbox.put(outgoing("1"))
    await send_over(outbox, Wire([], confirms=0))
    assert not caplog.messages
    await send_over(outbox, Wire([], confirms=1))
    assert caplog.messages == ["a message for q was not confirmed before the connection broke: again"]
