"""A receiver under test, in a process of its own: python -m chaos.receiver_process SETTINGS CASES MISBEHAVIOURS [...].

Orders come on its standard input: `clock SECONDS` sets how far its clock is off. SIGTERM stops it in order.
"""

import argparse
import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from chaos.case_system import CaseSystem, Misbehaviour, read_misbehaviours
from chaos.process import CANNOT_BEGIN, JumpingClock, arguments, obey, orders
from fiksmelding.config import Settings
from fiksmelding.errors import JournalUnavailable
from fiksmelding.receiver import Receiver, Registered, Report

FOREVER = 86_400.0
EARLY_SECONDS = 1.0


@dataclass(frozen=True)
class Registrar:
    """Hands reports to the case system, with all that can go wrong there."""

    cases: CaseSystem

    async def register(self, report: Report) -> Registered:
        """The handler."""
        content = hashlib.sha256(await report.json() or b"").hexdigest()
        told = {"melding_id": report.melding_id, "content": content}
        wrong = await asyncio.to_thread(lambda: self.cases.ask(report.id, told_repeat=report.repeat, **told))
        await _before_storing(wrong)
        if wrong is Misbehaviour.LIES:
            return Registered(reference=f"SAK-{report.id}")
        reference = await asyncio.to_thread(lambda: self.cases.store(report.id, **told))
        await _after_storing(wrong)
        return Registered(reference=reference)

    async def confirm(self, reference: str, _report: Report) -> bool:
        """The read-back."""
        return await asyncio.to_thread(self.cases.has, reference)

    async def register_early(self, report: Report) -> Registered:
        """A handler that answers before it has stored anything, as the case system of 2020-2023 did."""
        content = hashlib.sha256(await report.json() or b"").hexdigest()
        told = {"melding_id": report.melding_id, "content": content}
        await asyncio.to_thread(lambda: self.cases.ask(report.id, told_repeat=report.repeat, **told))
        asyncio.get_running_loop().call_later(EARLY_SECONDS, lambda: self.cases.store(report.id, **told))
        return Registered(reference=f"SAK-{report.id}")


async def _before_storing(wrong: Misbehaviour | None) -> None:
    match wrong:
        case Misbehaviour.FAILS:
            raise RuntimeError("the case system failed")
        case Misbehaviour.HANGS:
            await asyncio.sleep(FOREVER)
        case Misbehaviour.DIES:
            os.kill(os.getpid(), signal.SIGKILL)


async def _after_storing(wrong: Misbehaviour | None) -> None:
    match wrong:
        case Misbehaviour.FAILS_AFTER:
            raise RuntimeError("the case system failed after it had stored the report")
        case Misbehaviour.HANGS_AFTER:
            await asyncio.sleep(FOREVER)
        case Misbehaviour.DIES_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)


async def receive(given: argparse.Namespace) -> int:
    """Receive until SIGTERM; returns the exit status."""
    clock = JumpingClock(given.clock)
    reader = await orders()
    with CaseSystem(given.cases, read_misbehaviours(given.misbehaviours)) as cases:
        registrar = Registrar(cases)
        handler: Callable[[Report], Awaitable[Registered]] = registrar.register
        confirm = None if given.broken else registrar.confirm
        if given.broken:
            handler = registrar.register_early
        async with AsyncExitStack() as stack:
            receiver = Receiver(Settings.load(given.settings), handler, confirm=confirm, clock=clock)
            try:
                await stack.enter_async_context(receiver)
            except JournalUnavailable as error:
                print(f"cannot begin: {error}", file=sys.stderr)  # noqa: T201 - into the receiver's log
                return CANNOT_BEGIN
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, receiver.stop)
            obeying = asyncio.create_task(obey(reader, {"clock": clock.jump}, receiver.stop))
            try:
                await receiver.run()
            finally:
                obeying.cancel()
    return 0


def main() -> int:
    """Returns the exit status: 0 in order, `CANNOT_BEGIN`, or 1 for what must not happen."""
    return asyncio.run(receive(arguments("settings", "cases", "misbehaviours")))


if __name__ == "__main__":
    sys.exit(main())
