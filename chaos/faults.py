"""What can go wrong: whom it strikes, what happens, how often beside the rest, and for how long."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from chaos.case_system import Misbehaviour

__all__ = ["PROCESSES", "Faults", "Kind", "Side", "Target", "available"]

Side = Literal["receiver", "sender"]
"""Who is put to the test."""


class Target(StrEnum):
    """What a fault strikes. Faults of one target follow one another; those of different targets may overlap."""

    RECEIVER = "receiver"
    SENDER = "sender"
    STEP = "step"
    CLOCK = "clock"
    BROKER = "broker"
    DATABASE = "database"
    WAY_TO_BROKER = "way_to_broker"
    WAY_TO_PLATFORM = "way_to_platform"
    WAY_TO_DATABASE = "way_to_database"
    PLATFORM = "platform"
    STATUS = "status"
    DELIVERY = "delivery"
    HANDLER = "handler"


PROCESSES = frozenset({Target.RECEIVER, Target.SENDER, Target.STEP, Target.CLOCK})
"""The targets of which each process has one of its own."""


class Kind(StrEnum):
    """What happens to a target."""

    KILL = "kill"
    STOP = "stop"
    FREEZE = "freeze"
    FORWARD = "jumps_forward"
    BACK = "jumps_back"
    SEVER = "sever"
    RESTART = "restart"
    LOCK = "lock"
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
    STATUS_401 = "answers_401"
    STATUS_403 = "answers_403"
    NO_TOKEN = "no_token"  # noqa: S105 - not a password
    TOKEN_ENDS = "token_ends_early"  # noqa: S105 - nor this
    DROP_BEFORE = "drops_before"
    DROP_AFTER = "takes_and_drops"
    SLOW = "answers_late"
    HALF_ANSWER = "takes_and_answers_half"
    GOES_BACK = "goes_back"
    FORGOTTEN = "forgotten"
    STANDS_STILL = "stands_still"
    DIES_KEPT = "dies_when_kept"
    DIES_SUBMITTING = "dies_when_submitting"
    DIES_HANDED_OVER = "dies_when_handed_over"
    DIES_ACCEPTED = "dies_when_accepted"
    DIES_STATUS = "dies_when_status_is_told"
    DIES_DELIVERED = "dies_when_delivered"
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
Faults = Mapping[Target, Mapping[Kind, tuple[int, Range]]]
"""How often each is drawn beside the others, and for how many seconds it lasts."""

MOMENT: Range = (0, 0)
BROKEN_WAYS: Mapping[Kind, tuple[int, Range]] = MappingProxyType(
    {
        Kind.CUT: (4, MOMENT),
        Kind.END: (2, MOMENT),
        Kind.DELAY: (3, (2, 6)),
        Kind.HOLD: (3, (1, 8)),
        Kind.STRAND: (2, MOMENT),
        Kind.REFUSE: (2, (0.5, 3)),
        Kind.HALF_CLOSE_CLIENT: (2, MOMENT),
        Kind.HALF_CLOSE_SERVER: (2, MOMENT),
    }
)
ENDS: Mapping[Kind, tuple[int, Range]] = MappingProxyType(
    {Kind.KILL: (25, (0, 1)), Kind.STOP: (6, (0, 1)), Kind.FREEZE: (5, (2, 12))}
)
JUMPS: Mapping[Kind, tuple[int, Range]] = MappingProxyType({Kind.FORWARD: (4, (2, 6)), Kind.BACK: (4, (2, 6))})
OF_RECEIVERS: Faults = MappingProxyType(
    {
        Target.RECEIVER: ENDS,
        Target.CLOCK: JUMPS,
        Target.WAY_TO_BROKER: BROKEN_WAYS,
        Target.WAY_TO_PLATFORM: BROKEN_WAYS,
        Target.PLATFORM: {
            Kind.STATUS_500: (3, MOMENT),
            Kind.STATUS_503: (3, MOMENT),
            Kind.STATUS_429: (2, MOMENT),
            Kind.NO_TOKEN: (2, MOMENT),
            Kind.DROP_BEFORE: (3, MOMENT),
            Kind.DROP_AFTER: (6, MOMENT),
            Kind.SLOW: (2, MOMENT),
        },
        Target.DELIVERY: {Kind.TWICE: (6, MOMENT), Kind.OUT_OF_ORDER: (4, (1, 5)), Kind.RESEND: (6, MOMENT)},
        Target.HANDLER: {Kind(one.value): (4, MOMENT) for one in Misbehaviour},
    }
)
OF_SENDERS: Faults = MappingProxyType(
    {
        Target.SENDER: ENDS,
        Target.CLOCK: JUMPS,
        Target.WAY_TO_PLATFORM: BROKEN_WAYS,
        Target.STEP: {
            Kind.DIES_KEPT: (3, MOMENT),
            Kind.DIES_SUBMITTING: (4, MOMENT),
            Kind.DIES_HANDED_OVER: (6, MOMENT),
            Kind.DIES_ACCEPTED: (3, MOMENT),
            Kind.DIES_STATUS: (2, MOMENT),
            Kind.DIES_DELIVERED: (2, MOMENT),
        },
        Target.PLATFORM: {
            Kind.STATUS_500: (3, MOMENT),
            Kind.STATUS_503: (3, MOMENT),
            Kind.STATUS_429: (2, MOMENT),
            Kind.STATUS_401: (2, MOMENT),
            Kind.STATUS_403: (2, MOMENT),
            Kind.NO_TOKEN: (2, MOMENT),
            Kind.TOKEN_ENDS: (2, MOMENT),
            Kind.DROP_BEFORE: (3, MOMENT),
            Kind.DROP_AFTER: (8, MOMENT),
            Kind.HALF_ANSWER: (2, MOMENT),
            Kind.SLOW: (3, MOMENT),
        },
        Target.STATUS: {
            Kind.STATUS_500: (2, MOMENT),
            Kind.DROP_AFTER: (2, MOMENT),
            Kind.SLOW: (2, MOMENT),
            Kind.GOES_BACK: (3, MOMENT),
            Kind.FORGOTTEN: (2, MOMENT),
            Kind.STANDS_STILL: (2, (3, 8)),
        },
    }
)
BROKERS: Mapping[str, Mapping[Kind, tuple[int, Range]]] = MappingProxyType(
    {"embedded": {Kind.SEVER: (6, MOMENT)}, "rabbitmq": {Kind.RESTART: (4, (0, 1)), Kind.KILL: (4, (0, 1))}}
)
DATABASES: Mapping[str, Faults] = MappingProxyType(
    {
        "sqlite": {},
        "postgresql": {Target.DATABASE: {Kind.RESTART: (12, (0, 2))}, Target.WAY_TO_DATABASE: BROKEN_WAYS},
    }
)
# Several receivers on one file are not: nobody but the one at work holds it. Into an outbox other programs write too.
OUTBOXES: Mapping[str, Faults] = MappingProxyType(
    {**DATABASES, "sqlite": {Target.DATABASE: {Kind.LOCK: (12, (2, 10))}}}
)


def available(side: Side, journal: str, broker: str, *, misbehaving: bool) -> Faults:
    """What can strike.

    Args:
        side: Who is put to the test.
        journal: What kind of database the journal is in.
        broker: What the platform's queues are on, where that matters.
        misbehaving: Whether the case system does wrong too.
    """
    if side == "sender":
        return {**OF_SENDERS, **OUTBOXES[journal]}
    handler = OF_RECEIVERS[Target.HANDLER] if misbehaving else {}
    return {**OF_RECEIVERS, Target.HANDLER: handler, Target.BROKER: BROKERS[broker], **DATABASES[journal]}
