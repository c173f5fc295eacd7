"""What the consumer says about itself, and how often it says it."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from support.consumers import Inbox, consumer
from support.fake_clock import FakeClock
from support.scripted_broker import Refusal, ScriptedBroker


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (lambda session: session.cancel_consumer(), "cancelled the consumer"),
        (lambda session: session.close_channel(Refusal(406, "PRECONDITION_FAILED\nx")), "PRECONDITION_FAILED x"),
        (lambda session: session.close_channel(Refusal(404, "NOT_FOUND")), "queue does not exist"),
        (lambda session: session.close_connection(Refusal(320, "CONNECTION_FORCED")), "CONNECTION_FORCED"),
    ],
)
async def test_the_status_says_why_the_connection_was_lost(
    fault: Callable[[object], None], reason: str, broker: ScriptedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="fiksmelding")
    async with consumer(broker, Inbox().keep):
        fault(await broker.consumer(1))
        await broker.consumer(2)
    assert [
        record for record in caplog.records if record.name.startswith("fiksmelding") and reason in record.getMessage()
    ]


async def test_a_status_is_logged_once_however_many_attempts_fail(
    unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="fiksmelding")
    clock = FakeClock()
    async with consumer(ScriptedBroker(port=unused_tcp_port), Inbox().keep, clock=clock):
        async with asyncio.timeout(10):
            while len(clock.slept) < 6:  # noqa: ASYNC110  the clock has no event
                await asyncio.sleep(0)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("fiksmelding")]
    assert len(lines) == 2
    assert "no working connection" in lines[0]
    assert "closed" in lines[1]
