"""A sender under test, in a process of its own: python -m chaos.sender_process SETTINGS [...].

Orders come on its standard input: `send {...}` hands it a report, `clock SECONDS` sets how far its clock is off, and
`die STEP` lets it kill itself when it takes that step next. What it answers, and what it says of its reports, goes to
its standard output, one JSON object a line (`chaos.words`). SIGTERM stops it in order.
"""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import Protocol

from chaos.naive_sender import NaiveSender
from chaos.process import CANNOT_BEGIN, JumpingClock, arguments, obey, orders
from chaos.words import Answer, Request, Statement, say
from fiksmelding.config import Settings
from fiksmelding.errors import FiksmeldingError, JournalUnavailable
from fiksmelding.messages import Bekymringsmelding, Feilmelding, parse_json
from fiksmelding.sender import Progress, Sender, SendStep


class Sending(Protocol):
    """The part of a sender that is put to the test."""

    async def submit(self, report: Bekymringsmelding, *, key: str, pdf: bytes) -> str:
        """Take a report over; returns the sender's id of it."""
        ...


class Kept:
    """The library's sender."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def submit(self, report: Bekymringsmelding, *, key: str, pdf: bytes) -> str:
        """Take a report over; returns the sender's id of it."""
        return (await self._sender.send(report, key=key, pdf=pdf)).id


class Death:
    """Kills this process right after a step, when it was told to."""

    def __init__(self) -> None:
        self._at: SendStep | None = None

    def await_step(self, step: str) -> None:
        """Die at the next step of that name."""
        self._at = SendStep(step)

    def observe(self, step: SendStep, _sent_id: str) -> None:
        """A step was taken."""
        if step is self._at:
            os.kill(os.getpid(), signal.SIGKILL)


class Clerk:
    """Hands over what is asked for, and answers.

    Args:
        sending: To whom.
        broken: Set with what must not happen.
    """

    def __init__(self, sending: Sending, broken: "asyncio.Future[None]") -> None:
        self._sending = sending
        self._broken = broken
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, text: str) -> None:
        """Hand over a report, beside others."""
        task = asyncio.create_task(self._send(Request.read(text)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Let go of what is not answered yet: whoever asked asks again."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, request: Request) -> None:
        try:
            sent_id = await self._sending.submit(_report(request), key=request.key, pdf=request.pdf_bytes)
        except FiksmeldingError as error:
            say(Answer(key=request.key, sent_id=None, why=f"{type(error).__name__}: {error}"))
            if type(error) is FiksmeldingError:  # it has stopped working
                self._break(error)
        except Exception as error:  # noqa: BLE001 - told by the exit status
            self._break(error)
        else:
            say(Answer(key=request.key, sent_id=sent_id, why=""))

    def _break(self, error: Exception) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)


def _report(request: Request) -> Bekymringsmelding:
    report = parse_json(request.report.encode(), request.message_type)
    if isinstance(report, Feilmelding):
        raise TypeError(request.message_type)
    return report


def tell(progress: Progress) -> None:
    """Say what is known of a report now."""
    report_id = progress.detail.get("report_id")
    say(Statement.now(progress.sent_id, progress.state.value, report_id if isinstance(report_id, str) else None))


async def send(given: argparse.Namespace) -> int:
    """Send until SIGTERM; returns the exit status."""
    clock, death, settings = JumpingClock(given.clock), Death(), Settings.load(given.settings)
    reader, loop = await orders(), asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    async with AsyncExitStack() as stack:
        sending: Sending
        try:
            if given.broken:
                sending = await stack.enter_async_context(NaiveSender(settings, clock))
            else:
                sender = Sender(settings, on_progress=tell, observe=death.observe, clock=clock)
                sending = Kept(await stack.enter_async_context(sender))
        except JournalUnavailable as error:
            print(f"cannot begin: {error}", file=sys.stderr)  # noqa: T201 - into the sender's log
            return CANNOT_BEGIN
        loop.add_signal_handler(signal.SIGTERM, stop)
        clerk = Clerk(sending, stopped)
        stack.push_async_callback(clerk.aclose)
        what = {"send": clerk.send, "clock": clock.jump, "die": death.await_step}
        obeying = asyncio.create_task(obey(reader, what, stop))
        try:
            await stopped
        finally:
            obeying.cancel()
    return 0


def main() -> int:
    """Returns the exit status: 0 in order, `CANNOT_BEGIN`, or 1 for what must not happen."""
    return asyncio.run(send(arguments("settings")))


if __name__ == "__main__":
    sys.exit(main())
