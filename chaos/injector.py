"""Lets the planned faults happen, each target's one after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Self

from chaos.faults import PROCESSES, Kind, Target
from chaos.ground import Ground
from chaos.lock import locked
from chaos.narrator import Narrator
from chaos.plan import Fault
from chaos.side import SideUnderTest
from fiksmelding.simulator import HttpFault, MessageFault
from support.tcp_proxy import Side, TcpProxy

__all__ = ["Injector"]

PATIENCE_SECONDS = 15.0
OF_THE_PLATFORM = frozenset({Target.PLATFORM, Target.DELIVERY, Target.STATUS})

ON_A_WAY: Mapping[Kind, Callable[[TcpProxy, float], None]] = MappingProxyType(
    {
        Kind.CUT: lambda way, _: way.cut(),
        Kind.END: lambda way, _: way.cut(politely=True),
        Kind.DELAY: lambda way, seconds: way.delay(seconds),
        Kind.HOLD: lambda way, _: way.hold(),
        Kind.STRAND: lambda way, _: way.strand(),
        Kind.REFUSE: lambda way, _: _refuse(way),
        Kind.HALF_CLOSE_CLIENT: lambda way, _: way.half_close(Side.CLIENT),
        Kind.HALF_CLOSE_SERVER: lambda way, _: way.half_close(Side.SERVER),
    }
)


def _refuse(way: TcpProxy) -> None:
    way.refuse()
    way.cut()


class _Line:
    """Faults that wait for those before them on the same target."""

    def __init__(self, apply: Callable[[Fault], Awaitable[None]], name: str) -> None:
        self.faults: asyncio.Queue[Fault] = asyncio.Queue()
        self._apply = apply
        self.task = asyncio.create_task(self._work_off(), name=name)

    async def finished(self) -> None:
        """Wait until all are over; raises what went wrong with the harness itself."""
        joined = asyncio.create_task(self.faults.join())
        try:
            await asyncio.wait({joined, self.task}, return_when=asyncio.FIRST_COMPLETED)
            if self.task.done():
                self.task.result()
        finally:
            joined.cancel()

    async def _work_off(self) -> None:
        while True:
            fault = await self.faults.get()
            await self._apply(fault)
            self.faults.task_done()


class Injector:
    """Strikes.

    Args:
        ground: What is struck.
        side: Who is, and what only they know of.
        narrator: Told of each fault as it strikes.
    """

    def __init__(self, ground: Ground, side: SideUnderTest, narrator: Narrator) -> None:
        self._ground = ground
        self._side = side
        self._narrator = narrator
        self._lines: dict[tuple[Target, int], _Line] = {}
        self.struck: dict[int, float] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [line.task for line in self._lines.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def order(self, fault: Fault) -> None:
        """Let a fault happen once those before it on the same target are over."""
        if fault.target is Target.HANDLER:  # the case system itself sees to those
            return
        place = _place(fault)
        if place not in self._lines:
            self._lines[place] = _Line(self._strike, name=f"faults of {fault.target}")
        self._lines[place].faults.put_nowait(fault)

    async def finish(self) -> None:
        """Wait until every fault is over, and let the sun shine.

        Raises:
            Exception: What went wrong with the harness itself.
        """
        for line in self._lines.values():
            await line.finished()
        for way in self._ground.ways.values():
            way.pass_on()
        self._ground.fiks.faults.clear()

    async def _strike(self, fault: Fault) -> None:
        if await self._apply(fault):
            self.struck[fault.number] = self._narrator.seconds

    async def _apply(self, fault: Fault) -> bool:
        """Returns whether it struck."""
        ordered = self._side.ordered(fault) if fault.target in OF_THE_PLATFORM else []
        if ordered:
            return await self._on_platform(fault, ordered)
        self._narrator.tell(str(fault))
        match fault.target:
            case Target.RECEIVER | Target.SENDER:
                await self._on_process(fault)
            case Target.CLOCK:
                await self._on_clock(fault)
            case Target.DATABASE:
                await self._on_database(fault)
            case Target.WAY_TO_BROKER | Target.WAY_TO_PLATFORM | Target.WAY_TO_DATABASE:
                await self._on_way(fault)
            case _:
                return await self._side.strike(fault)
        return True

    async def _on_process(self, fault: Fault) -> None:
        fleet = self._side.fleet
        match fault.kind:
            case Kind.KILL:
                await fleet.kill(fault.process, away_seconds=fault.seconds)
            case Kind.STOP:
                await fleet.stop(fault.process, away_seconds=fault.seconds)
            case _:
                await fleet.freeze(fault.process, fault.seconds)

    async def _on_database(self, fault: Fault) -> None:
        if self._ground.database is not None:
            await self._ground.database.restart(fault.seconds)
        else:
            await locked(self._ground.journal_file, fault.seconds)

    async def _on_clock(self, fault: Fault) -> None:
        self._side.fleet.set_clock(fault.process, fault.amount)
        await asyncio.sleep(fault.seconds)
        self._side.fleet.set_clock(fault.process, 0.0)

    async def _on_way(self, fault: Fault) -> None:
        way = self._ground.ways[fault.target]
        ON_A_WAY[fault.kind](way, fault.amount)
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
            way.pass_on()

    async def _on_platform(self, fault: Fault, ordered: Sequence[HttpFault | MessageFault]) -> bool:
        faults = self._ground.fiks.faults
        before = faults.struck()
        faults.add(*ordered)
        self._side.provoke(fault)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await faults.wait_for(before + 1)
        except TimeoutError:
            self._narrator.tell(f"{fault}: found nothing to strike")
            return False
        self._narrator.tell(str(fault))
        return True


def _place(fault: Fault) -> tuple[Target, int]:
    """Whose turn it is: a process has one for what becomes of it and one for its clock; the platform has one."""
    if fault.target in OF_THE_PLATFORM:
        return Target.PLATFORM, 0
    if fault.target is Target.STEP:
        return Target.SENDER, fault.process
    return fault.target, fault.process if fault.target in PROCESSES else 0
