"""Whoever ends a run early must leave nothing running."""

import asyncio
import threading

import pytest
from chaos.services import to_the_end


async def test_a_cancellation_is_heard_once_what_was_begun_is_done() -> None:
    begun, may_end, done = threading.Event(), threading.Event(), list[str]()

    def start() -> None:
        begun.set()
        may_end.wait(10)
        done.append("started")

    task = asyncio.create_task(to_the_end(start))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["started"]


async def test_what_goes_wrong_in_the_thread_is_raised() -> None:
    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await to_the_end(fail)
