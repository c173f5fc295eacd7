"""One run, from the plan to the verdict."""

import asyncio
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.case_system import CaseSystem
from chaos.injector import Injector
from chaos.judge import Answer, Sending, Verdict, judge
from chaos.narrator import Narrator
from chaos.plan import Fault, Options, Plan, Target, draw
from chaos.world import World, open_world
from fiksmelding.messages import MessageType

__all__ = ["Outcome", "run"]

QUIET_SECONDS = 2.0
LONG_QUIET_SECONDS = 20.0
LOOK_SECONDS = 0.5
TELL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        plan: What was to happen.
        struck: When each fault struck that did, by its number, in seconds since the start.
        verdict: What the two records say.
        submitted: When each report was first sent, in seconds since the start.
        log_is_whole: Whether `fiksmelding journal verify` finds the event log as it was written.
        statuses: With what exit statuses the receivers ended when asked to stop.
        crashes: Where a receiver ended that should not have.
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
    async with open_world(plan, folder, narrator) as world:
        narrator.tell(f"{options.reports} reports, {len(plan.faults)} faults, seed {options.seed}: begins")
        async with Injector(world, plan, narrator) as injector:
            submitted = await _submit(world, plan, injector, narrator)
            await injector.finish()
            narrator.tell("every fault is over")
            await _until_quiet(world, plan, narrator)
            sendings = _sendings(world)
        statuses = await world.fleet.end()
        whole = await _verified(world)
        verdict, struck = _judged(world, plan, sendings, dict(injector.struck), narrator)
        narrator.tell(f"most memory of a receiver: {world.fleet.most_memory_kib // 1024} MiB")
    own, others = (resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    narrator.tell(
        f"processor time: {own.ru_utime + own.ru_stime:.0f} s for platform and proxies, "
        f"{others.ru_utime + others.ru_stime:.0f} s for receivers and servers"
    )
    return Outcome(plan, struck, verdict, submitted, whole, statuses, world.fleet.crashes)


async def _submit(world: World, plan: Plan, injector: Injector, narrator: Narrator) -> Mapping[str, float]:
    """Submit at a steady pace, and let each fault happen at its report."""
    pause = plan.options.minutes * 60 / plan.options.reports
    due: dict[int, list[Fault]] = defaultdict(list)
    for fault in plan.faults:
        due[fault.after].append(fault)
    started = told = time.monotonic()
    submitted = {}
    for number in range(1, plan.options.reports + 1):
        await asyncio.sleep(max(0.0, started + pause * (number - 1) - time.monotonic()))
        submitted[await world.supply.submit()] = narrator.seconds
        for fault in due[number]:
            injector.order(fault)
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            narrator.tell(f"{number} submitted, {len(world.fiks.taken())} answers taken")
    return submitted


async def _until_quiet(world: World, plan: Plan, narrator: Narrator) -> None:
    """Wait until every sending is answered and nothing more comes, or until it is plain that this will not happen."""
    patience = 120 + plan.options.reports / 20
    started = changed = time.monotonic()
    taken = -1
    while time.monotonic() - started < patience:
        answers = world.fiks.taken()
        if len(answers) != taken:
            taken, changed = len(answers), time.monotonic()
        answered = {str(answer.svar_pa_melding) for answer in answers}
        unanswered = [one for one in _sendings(world) if one.melding_id not in answered]
        open_ones = [one for one in unanswered if not one.given_up]
        # What the platform gave up may have been kept all the same, and is answered then: only waiting tells.
        if not open_ones and time.monotonic() - changed >= (LONG_QUIET_SECONDS if unanswered else QUIET_SECONDS):
            narrator.tell("quiet")
            return
        await asyncio.sleep(LOOK_SECONDS)
    narrator.tell(f"not quiet after {patience:g} s: {len(open_ones)} sendings are unanswered")


def _sendings(world: World) -> Sequence[Sending]:
    sendings = []
    for report_id, submitted in world.supply.submitted.items():
        report = world.fiks.report(report_id)
        given_up = any(receipt.message_type == MessageType.SERVERFEIL for receipt in report.receipts)
        sendings += [Sending(melding_id, report_id, submitted.content, given_up) for melding_id in report.melding_ids]
    return sendings


async def _verified(world: World) -> bool:
    command = [sys.executable, "-m", "fiksmelding", "journal", "verify", "--settings", str(world.settings)]
    environment = {**os.environ, **world.environment}
    with (world.folder / "verify.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=environment)
        return await process.wait() == 0


def _judged(
    world: World, plan: Plan, sendings: Sequence[Sending], struck: dict[int, float], narrator: Narrator
) -> tuple[Verdict, Mapping[int, float]]:
    with CaseSystem(world.cases) as record:
        calls, cases = record.calls(), record.cases()
    answers = [
        Answer(
            svar_til=str(answer.svar_pa_melding or ""),
            message_type=answer.melding_type,
            klient_melding_id=answer.klient_melding_id,
            taken_at=world.monotonic(answer.taken_at),
        )
        for answer in world.fiks.taken()
    ]
    misbehaved = {call.key: call.asked_at for call in calls if call.misbehaviour is not None}
    for fault in plan.faults:
        if fault.target is Target.HANDLER and plan.report_ids[fault.after - 1] in misbehaved:
            struck[fault.number] = narrator.seconds_at(misbehaved[plan.report_ids[fault.after - 1]])
    return judge(sendings, calls, cases, answers), struck
