"""The processes under test: real ones, started, killed, frozen and started again."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from chaos.process import CANNOT_BEGIN

__all__ = ["Fleet", "Orders"]

ROOT = Path(__file__).parents[1]
RESTART_SECONDS = 0.5
STOP_SECONDS = 60.0
END_SECONDS = 15.0


Listener = Callable[[int, str | None], None]
"""Hears each line that a process says, and None when it has ended."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What every process of a run is started with.

    Attributes:
        name: What they are called, also their logs.
        module: The program: `python -m`.
        words: Its arguments.
        environment: What overrides the settings.
        folder: Where each writes its log.
        listener: Hears what they say on their standard output; it goes into the log when None.
    """

    name: str
    module: str
    words: Sequence[str | Path]
    environment: Mapping[str, str]
    folder: Path
    listener: Listener | None = None


@dataclass(slots=True)
class _Place:
    """One place in the fleet; the process in it changes."""

    process: Process | None = None
    off_seconds: float = 0.0
    may_run: asyncio.Event = field(default_factory=asyncio.Event)
    runs: asyncio.Event = field(default_factory=asyncio.Event)


class Fleet:
    """Keeps processes running as a service manager does: whichever ends is started again.

    Args:
        count: How many.
        orders: What they are started with.
        tell: Told of each end that nobody here ordered.

    Attributes:
        most_memory_kib: The most memory that any of them was seen to have had, in KiB.
        crashes: The ends that cannot be excused: not by us, nor by their own hand as they were told, nor for want
            of a journal.
    """

    def __init__(self, count: int, orders: Orders, tell: Callable[[str], None]) -> None:
        self._orders = orders
        self._tell = tell
        self._places = [_Place() for _ in range(count)]
        self._stack = AsyncExitStack()
        self._ending = False
        self.most_memory_kib = 0
        self.crashes: list[str] = []

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for number in range(len(self._places)):
                task = asyncio.create_task(self._keep_running(number), name=f"{self._orders.name} {number}")
                stack.push_async_callback(_cancel, task)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def kill(self, number: int, *, away_seconds: float) -> None:
        """SIGKILL; started again after a while."""
        await self._end(number, signal.SIGKILL, away_seconds)

    async def stop(self, number: int, *, away_seconds: float) -> None:
        """SIGTERM, as a service manager stops it; started again after a while."""
        await self._end(number, signal.SIGTERM, away_seconds)

    async def freeze(self, number: int, seconds: float) -> None:
        """Let a process stand still, as a machine that is suspended or out of memory does, and go on then."""
        process = self._places[number].process
        if process is None:
            return
        _signal(process, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        _signal(process, signal.SIGCONT)

    def set_clock(self, number: int, off_seconds: float) -> None:
        """Let the clock of the machine of a process be wrong, also for the processes that follow on it."""
        place = self._places[number]
        place.off_seconds = off_seconds
        self.order(number, f"clock {off_seconds}")

    def order(self, number: int, line: str) -> bool:
        """Say a line to a process; returns whether there is one."""
        process = self._places[number].process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return False
        process.stdin.write(line.encode() + b"\n")  # a process that stands still hears it when it goes on
        return True

    async def ends_by_itself(self, number: int, order: str) -> bool:
        """Give a process an order by which it comes to its end; returns whether it did within a while."""
        process = self._places[number].process
        if process is None or not self.order(number, order):
            return False
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS)
        except TimeoutError:
            return False
        return True

    async def end(self) -> list[int]:
        """Stop every process in order, for good; returns the exit statuses, 0 also for one that was just starting."""
        self._ending = True
        return await asyncio.gather(*(self._stop_for_good(place) for place in self._places))

    async def _stop_for_good(self, place: _Place) -> int:
        await place.runs.wait()
        process = place.process
        if process is None:
            return 0
        self._measure(process)
        _signal(process, signal.SIGTERM)
        try:
            status = await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            status = await process.wait()
        return 0 if status == -signal.SIGTERM else status

    async def _end(self, number: int, how: signal.Signals, away_seconds: float) -> None:
        place = self._places[number]
        process = place.process
        if process is None:  # it has ended by itself, and is on its way back
            return
        self._measure(process)
        place.may_run.clear()
        place.runs.clear()
        _signal(process, how)
        try:
            status = await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            status = 1
        if status not in {0, -how}:
            self._note(f"{self._orders.name} {number} ended with status {status} at {how.name}", status)
        await asyncio.sleep(away_seconds)
        place.may_run.set()
        await place.runs.wait()

    async def _keep_running(self, number: int) -> None:
        place = self._places[number]
        place.may_run.set()
        with (self._orders.folder / f"{self._orders.name}-{number}.log").open("ab") as log:
            while True:
                process = place.process = await self._start(place, log.fileno())
                place.runs.set()
                try:
                    await self._listen(number, process)
                    status = await process.wait()
                finally:
                    _signal(process, signal.SIGKILL)
                    await process.wait()
                if self._ending:
                    return
                place.process = None
                place.runs.clear()
                if place.may_run.is_set():
                    self._note(f"{self._orders.name} {number} ended by itself with status {status}", status)
                    await asyncio.sleep(RESTART_SECONDS)
                await place.may_run.wait()

    async def _start(self, place: _Place, log: int) -> Process:
        orders = self._orders
        program = [sys.executable, "-m", orders.module, *map(str, orders.words), "--clock", str(place.off_seconds)]
        said = log if orders.listener is None else PIPE
        environment = {**os.environ, **orders.environment}
        return await asyncio.create_subprocess_exec(
            *program, stdin=PIPE, stdout=said, stderr=log, env=environment, cwd=ROOT
        )

    async def _listen(self, number: int, process: Process) -> None:
        """Hear what a process says, until it has ended."""
        listener = self._orders.listener
        if listener is None or process.stdout is None:
            return
        async for line in process.stdout:
            if line.endswith(b"\n"):  # what was cut off by its death was not said
                listener(number, line.decode())
        listener(number, None)

    def _note(self, what: str, status: int) -> None:
        self._tell(what)
        if status not in {-signal.SIGKILL, CANNOT_BEGIN}:  # the former it did itself, as it was told
            self.crashes.append(what)

    def _measure(self, process: Process) -> None:
        """Note how much memory a process has had at most, where the system tells."""
        with suppress(OSError):
            for line in Path(f"/proc/{process.pid}/status").read_text("ascii").splitlines():
                if line.startswith("VmHWM:"):
                    self.most_memory_kib = max(self.most_memory_kib, int(line.split()[1]))


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
