"""Lets the planned faults happen to the world, each target's one after the other."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import urlsplit

from chaos.narrator import Narrator
from chaos.plan import Fault, Kind, Plan, Target
from chaos.supply import ACCOUNT
from chaos.world import World
from fiksmelding.simulator import HttpFault, MessageFault
from support.tcp_proxy import Side, TcpProxy

__all__ = ["Injector"]

SEND = "/fiks-io/api/v1/send"
REPORTS = "no.ks.fiks.bekymringsmelding."
LATE_SECONDS = 6.0
PATIENCE_SECONDS = 15.0

ON_SENDING: Mapping[Kind, HttpFault] = MappingProxyType(
    {
        Kind.STATUS_500: HttpFault(path=SEND, status=500, times=2),
        Kind.STATUS_503: HttpFault(path=SEND, status=503, times=3),
        Kind.STATUS_429: HttpFault(path=SEND, status=429, retry_after_seconds=1, times=2),
        Kind.DROP_BEFORE: HttpFault(path=SEND, connection="reset"),
        Kind.DROP_AFTER: HttpFault(path=SEND, connection="reset_after"),
        Kind.SLOW: HttpFault(path=SEND, delay_seconds=LATE_SECONDS),
    }
)
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
        world: What is struck.
        plan: With what.
        narrator: Told of each fault as it strikes.
    """

    def __init__(self, world: World, plan: Plan, narrator: Narrator) -> None:
        self._world = world
        self._plan = plan
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
        for way in self._world.ways.values():
            way.pass_on()
        self._world.fiks.faults.clear()

    async def _strike(self, fault: Fault) -> None:
        if await self._apply(fault):
            self.struck[fault.number] = self._narrator.seconds

    async def _apply(self, fault: Fault) -> bool:
        """Returns whether it struck."""
        if fault.target not in {Target.PLATFORM, Target.DELIVERY}:
            self._narrator.tell(str(fault))
        match fault.target:
            case Target.RECEIVER:
                await self._on_receiver(fault)
            case Target.CLOCK:
                await self._on_clock(fault)
            case Target.BROKER:
                await self._on_broker(fault)
            case Target.DATABASE:
                if self._world.database is not None:
                    await self._world.database.restart(fault.seconds)
            case Target.PLATFORM | Target.DELIVERY:
                return await self._on_platform(fault)
            case _:
                await self._on_way(fault)
        return True

    async def _on_receiver(self, fault: Fault) -> None:
        fleet = self._world.fleet
        match fault.kind:
            case Kind.KILL:
                await fleet.kill(fault.receiver, away_seconds=fault.seconds)
            case Kind.STOP:
                await fleet.stop(fault.receiver, away_seconds=fault.seconds)
            case _:
                await fleet.freeze(fault.receiver, fault.seconds)

    async def _on_broker(self, fault: Fault) -> None:
        broker = self._world.broker
        if broker is None or fault.kind is Kind.SEVER:
            await self._world.fiks.sever_connections()
        elif fault.kind is Kind.KILL:
            await broker.kill(fault.seconds)
        else:
            await broker.restart(fault.seconds)

    async def _on_clock(self, fault: Fault) -> None:
        await self._world.fleet.set_clock(fault.receiver, fault.amount)
        await asyncio.sleep(fault.seconds)
        await self._world.fleet.set_clock(fault.receiver, 0.0)

    async def _on_way(self, fault: Fault) -> None:
        way = self._world.ways[fault.target]
        ON_A_WAY[fault.kind](way, fault.amount)
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
            way.pass_on()

    async def _on_platform(self, fault: Fault) -> bool:
        fiks = self._world.fiks
        if fault.kind is Kind.RESEND:
            self._narrator.tell(str(fault))
            self._resend(fault.after)
            return True
        before = fiks.faults.struck()
        fiks.faults.add(self._ordered(fault))
        if fault.kind is Kind.NO_TOKEN:  # whoever has a connection needs no token
            self._world.ways[Target.WAY_TO_BROKER].cut()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await fiks.faults.wait_for(before + 1)
        except TimeoutError:
            self._narrator.tell(f"{fault}: found nothing to strike")
            return False
        self._narrator.tell(str(fault))
        return True

    def _ordered(self, fault: Fault) -> HttpFault | MessageFault:
        account = self._world.fiks.party(ACCOUNT).account.id
        match fault.kind:
            case Kind.NO_TOKEN:
                return HttpFault(path=f"{urlsplit(self._world.fiks.issuer).path}token", status=503, times=2)
            case Kind.TWICE:
                return MessageFault(effect="duplicate", account=account, message_type=REPORTS)
            case Kind.OUT_OF_ORDER:
                return MessageFault(
                    effect="delay", account=account, message_type=REPORTS, delay_seconds=max(fault.seconds, 1.0)
                )
            case _:
                return ON_SENDING[fault.kind]

    def _resend(self, number: int) -> None:
        """Send a report once more, as a sender does that had no answer: under a new `melding-id`."""
        fiks, report_id = self._world.fiks, self._plan.report_ids[number - 1]
        submitted = self._world.supply.submitted[report_id]
        melding_id = str(uuid.uuid4())
        headers = {
            "melding-id": melding_id,
            "type": submitted.message_type.value,
            "avsender-id": str(fiks.platform.world.national.account.id),
            "bekymringsmelding-id": report_id,
        }
        book = fiks.platform.national.book
        book.put(fiks.report(report_id).sent_as(melding_id))
        fiks.put_on_queue(ACCOUNT, headers=headers, body=submitted.envelope)


def _place(fault: Fault) -> tuple[Target, int]:
    if fault.target in {Target.RECEIVER, Target.CLOCK}:
        return fault.target, fault.receiver
    return (Target.PLATFORM if fault.target is Target.DELIVERY else fault.target), 0
