"""What stands on a queue, and what is told of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from fiksmelding.errors import FiksmeldingError

__all__ = [
    "MAX_HEADER_NAME_BYTES",
    "DeathReason",
    "OnDead",
    "QueueInUse",
    "QueueState",
    "QueuedMessage",
    "UnknownQueue",
]

MAX_HEADER_NAME_BYTES = 128


class UnknownQueue(FiksmeldingError):
    """There is no queue of that name."""


class QueueInUse(FiksmeldingError):
    """The queue has a consumer that shares with nobody, or such a one asks for a queue that others consume."""


class DeathReason(StrEnum):
    """Why the platform gave a message up.

    Attributes:
        DELIVERY_LIMIT: Three deliveries ended without acknowledgement: `serverfeil`.
        EXPIRED: Its time to live had passed when it reached the head: `tidsavbrudd`.
    """

    DELIVERY_LIMIT = "delivery_limit"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """What a sender put on a queue.

    Attributes:
        headers: The AMQP headers, as text.
        body: The sealed envelope; empty when there is none.
        expiration_ms: Time to live in milliseconds, or None to live for ever.

    Raises:
        ValueError: A header cannot travel over AMQP: no UTF-8, or a name over 128 bytes.
    """

    headers: dict[str, str]
    body: bytes = field(default=b"", repr=False)
    expiration_ms: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            value.encode()
            if len(name.encode()) > MAX_HEADER_NAME_BYTES:
                raise ValueError(f"A header's name is longer than {MAX_HEADER_NAME_BYTES} bytes.")


@dataclass(frozen=True, slots=True)
class QueueState:
    """What goes on at a queue.

    Attributes:
        waiting: Messages that wait.
        held: Messages in consumers' hands, neither acknowledged nor given back.
        consumers: Who listens.
    """

    waiting: int
    held: int
    consumers: int


OnDead = Callable[[QueuedMessage, DeathReason, str], None]
