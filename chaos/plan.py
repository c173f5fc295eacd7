"""What goes wrong, when, and to whom: drawn wholly from a seed before anything runs."""

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from chaos.case_system import Misbehaviour

__all__ = ["Fault", "Kind", "Options", "Plan", "Target", "draw"]

REPORTS_PER_FAULT = 40
FEWEST_FAULTS = 50


class Target(StrEnum):
    """What a fault strikes. Faults of one target follow one another; those of different targets may overlap."""

    RECEIVER = "receiver"
    CLOCK = "clock"
    BROKER = "broker"
    DATABASE = "database"
    WAY_TO_BROKER = "way_to_broker"
    WAY_TO_PLATFORM = "way_to_platform"
    WAY_TO_DATABASE = "way_to_database"
    PLATFORM = "platform"
    DELIVERY = "delivery"
    HANDLER = "handler"


class Kind(StrEnum):
    """What happens to a target."""

    KILL = "kill"
    STOP = "stop"
    FREEZE = "freeze"
    FORWARD = "jumps_forward"
    BACK = "jumps_back"
    SEVER = "sever"
    RESTART = "restart"
    CUT = "cut"
    END = "end_politely"
    DELAY = "delay"
    HOLD = "hold"
    STRAND = "strand"
    REFUSE = "refuse"
    HALF_CLOSE_CLIENT = "half_close_client"
    HALF_CLOSE_SERVER = "half_close_server"
    STATUS_500 = "answers_500"
    STATUS_503 = "answers_503"
    STATUS_429 = "answers_429"
    NO_TOKEN = "no_token"  # noqa: S105 - not a password
    DROP_BEFORE = "drops_before"
    DROP_AFTER = "takes_and_drops"
    SLOW = "answers_late"
    TWICE = "twice"
    OUT_OF_ORDER = "out_of_order"
    RESEND = "resend"
    FAILS = Misbehaviour.FAILS.value
    FAILS_AFTER = Misbehaviour.FAILS_AFTER.value
    HANGS = Misbehaviour.HANGS.value
    HANGS_AFTER = Misbehaviour.HANGS_AFTER.value
    DIES = Misbehaviour.DIES.value
    DIES_AFTER = Misbehaviour.DIES_AFTER.value
    LIES = Misbehaviour.LIES.value


Range = tuple[float, float]

BROKEN_WAYS: Mapping[Kind, tuple[int, Range]] = MappingProxyType(
    {
        Kind.CUT: (4, (0, 0)),
        Kind.END: (2, (0, 0)),
        Kind.DELAY: (3, (2, 6)),
        Kind.HOLD: (3, (1, 8)),
        Kind.STRAND: (2, (0, 0)),
        Kind.REFUSE: (2, (0.5, 3)),
        Kind.HALF_CLOSE_CLIENT: (2, (0, 0)),
        Kind.HALF_CLOSE_SERVER: (2, (0, 0)),
    }
)
# How often each is drawn beside the others, and for how many seconds it lasts.
FAULTS: Mapping[Target, Mapping[Kind, tuple[int, Range]]] = MappingProxyType(
    {
        Target.RECEIVER: {Kind.KILL: (25, (0, 1)), Kind.STOP: (6, (0, 1)), Kind.FREEZE: (5, (2, 12))},
        Target.CLOCK: {Kind.FORWARD: (4, (2, 6)), Kind.BACK: (4, (2, 6))},
        Target.WAY_TO_BROKER: BROKEN_WAYS,
        Target.WAY_TO_PLATFORM: BROKEN_WAYS,
        Target.PLATFORM: {
            Kind.STATUS_500: (3, (0, 0)),
            Kind.STATUS_503: (3, (0, 0)),
            Kind.STATUS_429: (2, (0, 0)),
            Kind.NO_TOKEN: (2, (0, 0)),
            Kind.DROP_BEFORE: (3, (0, 0)),
            Kind.DROP_AFTER: (6, (0, 0)),
            Kind.SLOW: (2, (0, 0)),
        },
        Target.DELIVERY: {Kind.TWICE: (6, (0, 0)), Kind.OUT_OF_ORDER: (4, (1, 5)), Kind.RESEND: (6, (0, 0))},
        Target.HANDLER: {Kind(one.value): (4, (0, 0)) for one in Misbehaviour},
    }
)
BROKERS: Mapping[str, Mapping[Kind, tuple[int, Range]]] = MappingProxyType(
    {"embedded": {Kind.SEVER: (6, (0, 0))}, "rabbitmq": {Kind.RESTART: (4, (0, 1)), Kind.KILL: (4, (0, 1))}}
)
DATABASES: Mapping[str, Mapping[Target, Mapping[Kind, tuple[int, Range]]]] = MappingProxyType(
    {
        "sqlite": {},
        "postgresql": {Target.DATABASE: {Kind.RESTART: (12, (0, 2))}, Target.WAY_TO_DATABASE: BROKEN_WAYS},
    }
)
LONGEST_JUMP_SECONDS = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to be; the same options and seed make the same plan.

    Attributes:
        reports: How many reports arrive.
        minutes: In how many minutes.
        seed: What everything is drawn from.
        receivers: How many receivers there are.
        journal: What kind of database the journal is in.
        broker: What the platform's queues are on.
        faults: How many faults; None for as many as befit the reports.
        broken: Whether the receivers have a handler that answers before it has stored anything: that must show.
    """

    reports: int
    minutes: float
    seed: int
    receivers: int = 1
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
        receiver: Which receiver, where it strikes one, from 0.
        amount: By how much: a jump of the clock or a delay of each piece, in seconds.
    """

    number: int
    after: int
    target: Target
    kind: Kind
    seconds: float
    receiver: int
    amount: float

    def __str__(self) -> str:
        which = f" {self.receiver}" if self.target in {Target.RECEIVER, Target.CLOCK} else ""
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


def _available(options: Options) -> Mapping[Target, Mapping[Kind, tuple[int, Range]]]:
    handler = {} if options.broken else FAULTS[Target.HANDLER]
    return {
        **FAULTS,
        Target.HANDLER: handler,
        Target.BROKER: BROKERS[options.broker],
        **DATABASES[options.journal],
    }


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
        receiver=chance.randrange(options.receivers),
        amount=amount,
    )


def _untaken(after: int, taken: set[int], reports: int) -> int:
    """A report that no other misbehaviour happens to, as near as can be."""
    free = min((one for one in range(1, reports + 1) if one not in taken), key=lambda one: abs(one - after))
    taken.add(free)
    return free
