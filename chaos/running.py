"""One run, from the plan to the verdict."""

import asyncio
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from chaos.ground import Ground, open_ground
from chaos.injector import Injector
from chaos.narrator import Narrator
from chaos.plan import Fault, Options, Plan, draw
from chaos.receiving import Receiving
from chaos.sending import Sending
from chaos.side import SideUnderTest
from chaos.verdict import Verdict

__all__ = ["Outcome", "run"]

LOOK_SECONDS = 0.5
LONGEST_WAITS = 10
"""How many times the patience with a standstill is waited in all, while reports still move."""
TELL_SECONDS = 15.0
SIDES: Mapping[str, Callable[[Plan, Ground, Narrator], AbstractAsyncContextManager[SideUnderTest]]] = MappingProxyType(
    {"receiver": Receiving.opened, "sender": Sending.opened}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        plan: What was to happen.
        struck: When each fault struck that did, by its number, in seconds since the start.
        verdict: What the records say.
        submitted: When each report was first sent, in seconds since the start.
        log_is_whole: Whether `fiksmelding journal verify` finds the event log as it was written.
        statuses: With what exit statuses those under test ended when asked to stop.
        crashes: Where one ended that should not have.
    """

    plan: Plan
    struck: Mapping[int, float]
    verdict: Verdict
    submitted: Mapping[str, float]
    log_is_whole: bool
    statuses: Sequence[int]
    crashes: Sequence[str]

    @property
    def fine(self) -> bool:
        """Whether nothing at all is to be complained of."""
        return self.verdict.blameless and self.log_is_whole and not any(self.statuses) and not self.crashes


async def run(options: Options, folder: Path, narrator: Narrator) -> Outcome:
    """Run once; everything that is left to look at is in `folder`."""
    plan = draw(options)
    plan.write(folder / "plan.json")
    async with open_ground(options, folder) as ground, SIDES[options.side](plan, ground, narrator) as side:
        narrator.tell(f"{options.reports} reports, {len(plan.faults)} faults, seed {options.seed}: begins")
        async with Injector(ground, side, narrator) as injector:
            submitted = await _submit(side, plan, injector, narrator)
            await injector.finish()
            narrator.tell("every fault is over")
            await _until_quiet(side, plan, narrator)
        statuses = await side.fleet.end()
        whole = await _verified(ground)
        verdict, noticed = await side.verdict()
        struck = {**injector.struck, **{number: narrator.seconds_at(at) for number, at in noticed.items()}}
        narrator.tell(f"most memory of a {options.side}: {side.fleet.most_memory_kib // 1024} MiB")
    own, others = (resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    narrator.tell(
        f"processor time: {own.ru_utime + own.ru_stime:.0f} s for platform and proxies, "
        f"{others.ru_utime + others.ru_stime:.0f} s for {options.side}s and servers"
    )
    return Outcome(plan, struck, verdict, submitted, whole, statuses, side.fleet.crashes)


async def _submit(side: SideUnderTest, plan: Plan, injector: Injector, narrator: Narrator) -> Mapping[str, float]:
    """Hand reports in at a steady pace, and let each fault happen at its report."""
    pause = plan.options.minutes * 60 / plan.options.reports
    due: dict[int, list[Fault]] = defaultdict(list)
    for fault in plan.faults:
        due[fault.after].append(fault)
    started = told = time.monotonic()
    submitted = {}
    for number in range(1, plan.options.reports + 1):
        await asyncio.sleep(max(0.0, started + pause * (number - 1) - time.monotonic()))
        submitted[await side.submit()] = narrator.seconds
        for fault in due[number]:
            injector.order(fault)
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            narrator.tell(f"{number} submitted, {side.progress()}")
    return submitted


async def _until_quiet(side: SideUnderTest, plan: Plan, narrator: Narrator) -> None:
    """Wait until nothing is left to happen, or until it is plain that this will not come: nothing moves any more."""
    patience = 120 + plan.options.reports / 20
    started = changed = time.monotonic()
    standing = await side.standing()
    while time.monotonic() - changed < patience and time.monotonic() - started < LONGEST_WAITS * patience:
        before, standing = standing, await side.standing()
        if standing.done != before.done:
            changed = time.monotonic()
        if not standing.open and time.monotonic() - changed >= standing.quiet_seconds:
            narrator.tell("quiet")
            return
        await asyncio.sleep(LOOK_SECONDS)
    waited = time.monotonic() - started
    narrator.tell(f"not quiet after {waited:.0f} s, {side.progress()}: {standing.open} reports are unanswered")


async def _verified(ground: Ground) -> bool:
    command = [sys.executable, "-m", "fiksmelding", "journal", "verify", "--settings", str(ground.settings)]
    environment = {**os.environ, **ground.environment}
    with (ground.folder / "verify.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=environment)
        return await process.wait() == 0
