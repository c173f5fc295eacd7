"""The receivers under test: real processes, started, killed, frozen and started again."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["CANNOT_BEGIN", "Fleet", "Orders"]

CANNOT_BEGIN = 3
"""The exit status of a receiver whose journal could not be opened; it is started again until it can."""

ROOT = Path(__file__).parents[1]
RESTART_SECONDS = 0.5
STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Orders:
    """What every receiver of a run is started with.

    Attributes:
        settings: The settings file.
        environment: What overrides it.
        cases: The case system's file.
        misbehaviours: What the case system does wrong.
        folder: Where each writes its log.
        broken: Whether they have the handler that answers too early.
    """

    settings: Path
    environment: Mapping[str, str]
    cases: Path
    misbehaviours: Path
    folder: Path
    broken: bool = False


@dataclass(slots=True)
class _Receiver:
    """One place in the fleet; the process in it changes."""

    process: Process | None = None
    off_seconds: float = 0.0
    may_run: asyncio.Event = field(default_factory=asyncio.Event)
    runs: asyncio.Event = field(default_factory=asyncio.Event)


class Fleet:
    """Keeps receivers running as a service manager does: whichever ends is started again.

    Args:
        count: How many.
        orders: What they are started with.
        tell: Told of each end that nobody here ordered.

    Attributes:
        most_memory_kib: The most memory that any of them was seen to have had, in KiB.
        crashes: The ends that cannot be excused: not by us, nor by the case system, nor for want of a journal.
    """

    def __init__(self, count: int, orders: Orders, tell: Callable[[str], None]) -> None:
        self._orders = orders
        self._tell = tell
        self._receivers = [_Receiver() for _ in range(count)]
        self._stack = AsyncExitStack()
        self._ending = False
        self.most_memory_kib = 0
        self.crashes: list[str] = []

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for number in range(len(self._receivers)):
                task = asyncio.create_task(self._keep_running(number), name=f"receiver {number}")
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
        process = self._receivers[number].process
        if process is None:
            return
        _signal(process, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        _signal(process, signal.SIGCONT)

    async def set_clock(self, number: int, off_seconds: float) -> None:
        """Let the clock of the machine of a receiver be wrong, also for the processes that follow on it."""
        receiver = self._receivers[number]
        receiver.off_seconds = off_seconds
        process = receiver.process
        if process is not None and process.stdin is not None:
            process.stdin.write(f"clock {off_seconds}\n".encode())
            with suppress(ConnectionError):
                await process.stdin.drain()

    async def end(self) -> list[int]:
        """Stop every receiver in order, for good; returns the exit statuses, 0 also for one that was just starting."""
        self._ending = True
        return await asyncio.gather(*(self._stop_for_good(receiver) for receiver in self._receivers))

    async def _stop_for_good(self, receiver: _Receiver) -> int:
        await receiver.runs.wait()
        process = receiver.process
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
        receiver = self._receivers[number]
        process = receiver.process
        if process is None:  # it has ended by itself, and is on its way back
            return
        self._measure(process)
        receiver.may_run.clear()
        receiver.runs.clear()
        _signal(process, how)
        try:
            status = await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            status = 1
        if status not in {0, -how}:
            self._note(f"receiver {number} ended with status {status} at {how.name}", status)
        await asyncio.sleep(away_seconds)
        receiver.may_run.set()
        await receiver.runs.wait()

    async def _keep_running(self, number: int) -> None:
        receiver = self._receivers[number]
        receiver.may_run.set()
        with (self._orders.folder / f"receiver-{number}.log").open("ab") as log:
            while True:
                process = receiver.process = await self._start(receiver, log.fileno())
                receiver.runs.set()
                try:
                    status = await process.wait()
                finally:
                    _signal(process, signal.SIGKILL)
                    await process.wait()
                if self._ending:
                    return
                receiver.process = None
                receiver.runs.clear()
                if receiver.may_run.is_set():
                    self._note(f"receiver {number} ended by itself with status {status}", status)
                    await asyncio.sleep(RESTART_SECONDS)
                await receiver.may_run.wait()

    async def _start(self, receiver: _Receiver, log: int) -> Process:
        orders = self._orders
        words = [orders.settings, orders.cases, orders.misbehaviours, "--clock", receiver.off_seconds]
        if orders.broken:
            words.append("--broken")
        program = [sys.executable, "-m", "chaos.receiver_process", *map(str, words)]
        environment = {**os.environ, **orders.environment}
        return await asyncio.create_subprocess_exec(
            *program, stdin=PIPE, stdout=log, stderr=log, env=environment, cwd=ROOT
        )

    def _note(self, what: str, status: int) -> None:
        self._tell(what)
        if status not in {-signal.SIGKILL, CANNOT_BEGIN}:  # the former is the case system's doing, at any time
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
