"""What goes wrong, when, and to whom: drawn wholly from a seed before anything runs."""

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from chaos.case_system import Misbehaviour
from chaos.faults import PROCESSES, Faults, Kind, Side, Target, available

__all__ = ["Fault", "Options", "Plan", "draw"]

REPORTS_PER_FAULT = 40
FEWEST_FAULTS = 50


LONGEST_JUMP_SECONDS = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to be; the same options and seed make the same plan.

    Attributes:
        reports: How many reports arrive.
        minutes: In how many minutes.
        seed: What everything is drawn from.
        side: Who is put to the test.
        processes: How many of them there are.
        journal: What kind of database the journal is in.
        broker: What the platform's queues are on.
        faults: How many faults; None for as many as befit the reports.
        broken: Whether the receivers have a handler that answers before it has stored anything, or the senders say that
            the platform has what they hold in memory only: that must show.
    """

    reports: int
    minutes: float
    seed: int
    side: Side = "receiver"
    processes: int = 1
    journal: Literal["sqlite", "postgresql"] = "sqlite"
    broker: Literal["embedded", "rabbitmq"] = "embedded"
    faults: int | None = None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        number: Its number in the plan, from 1.
        after: It comes once so many reports have been submitted; for a handler, the report it happens to.
        target: What it strikes.
        kind: What happens.
        seconds: How long it lasts, in seconds; 0 for a moment.
        process: Which of the processes under test, where it strikes one, from 0.
        amount: By how much: a jump of the clock or a delay of each piece, in seconds.
    """

    number: int
    after: int
    target: Target
    kind: Kind
    seconds: float
    process: int
    amount: float

    def __str__(self) -> str:
        which = f" {self.process}" if self.target in PROCESSES else ""
        told = f"fault {self.number} at report {self.after}: {self.target}{which} {self.kind}"
        if self.amount:
            told += f" by {self.amount:g} s"
        return told + (f" for {self.seconds:g} s" if self.seconds else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is decided beforehand.

    Attributes:
        options: What it was drawn for.
        report_ids: The reports' ids, in the order they are submitted.
        faults: The faults, in the order they come.
    """

    options: Options
    report_ids: Sequence[str]
    faults: Sequence[Fault]

    def misbehaviours(self) -> Mapping[str, Misbehaviour]:
        """What the case system does wrong, by report."""
        return {
            self.report_ids[fault.after - 1]: Misbehaviour(fault.kind.value)
            for fault in self.faults
            if fault.target is Target.HANDLER
        }

    def write(self, path: Path) -> None:
        """Write it down, for whoever looks into a run afterwards."""
        content = {"options": asdict(self.options), "faults": [asdict(fault) for fault in self.faults]}
        path.write_text(json.dumps(content, indent=1), "utf-8")


def draw(options: Options) -> Plan:
    """The plan for a run."""
    chance = random.Random(options.seed)  # noqa: S311 - chances of a test, no secrets
    report_ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(options.reports)]
    count = max(FEWEST_FAULTS, options.reports // REPORTS_PER_FAULT) if options.faults is None else options.faults
    moments = sorted(chance.randint(1, options.reports) for _ in range(count))
    faults = []
    taken: set[int] = set()
    for number, (after, (target, kind)) in enumerate(
        zip(moments, _kinds(chance, options, count), strict=True), start=1
    ):
        moment = _untaken(after, taken, options.reports) if target is Target.HANDLER else after
        faults.append(_fault(chance, options, number, moment, (target, kind)))
    return Plan(options, report_ids, faults)


def _available(options: Options) -> Faults:
    return available(options.side, options.journal, options.broker, misbehaving=not options.broken)


def _kinds(chance: random.Random, options: Options, count: int) -> Sequence[tuple[Target, Kind]]:
    """One of each first, so that no run goes without; the rest by their weights."""
    weights = {
        (target, kind): weight for target, kinds in _available(options).items() for kind, (weight, _) in kinds.items()
    }
    every = list(weights)
    chance.shuffle(every)
    chosen = every[:count]
    chosen += chance.choices(list(weights), weights=list(weights.values()), k=count - len(chosen))
    chance.shuffle(chosen)
    return chosen


def _fault(chance: random.Random, options: Options, number: int, after: int, what: tuple[Target, Kind]) -> Fault:
    target, kind = what
    shortest, longest = _available(options)[target][kind][1]
    amount = 0.0
    if target is Target.CLOCK:
        amount = chance.choice([90.0, 900.0, LONGEST_JUMP_SECONDS]) * (1 if kind is Kind.FORWARD else -1)
    elif kind is Kind.DELAY:
        amount = round(chance.uniform(0.02, 0.3), 2)
    return Fault(
        number=number,
        after=after,
        target=target,
        kind=kind,
        seconds=round(chance.uniform(shortest, longest), 1),
        process=chance.randrange(options.processes),
        amount=amount,
    )


def _untaken(after: int, taken: set[int], reports: int) -> int:
    """A report that no other misbehaviour happens to, as near as can be."""
    free = min((one for one in range(1, reports + 1) if one not in taken), key=lambda one: abs(one - after))
    taken.add(free)
    return free
