"""Faults on demand: what the real platform, the network and careless senders do, when a test asks for it.

Each says what it hits, how often, and what happens; docs/simulator.md says which incident or rule each stands for.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Literal, TypeVar
from uuid import UUID, uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fiksmelding.simulator.background import Agenda
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.documents import Documents
from fiksmelding.simulator.queues import QueuedMessage
from fiksmelding.simulator.resealing import Resealing

__all__ = ["Faults", "HttpFault", "MessageFault", "Trouble"]

log = logging.getLogger(__name__)

A_YEAR_OF_SECONDS = 366 * 86_400
REQUIRED_HEADERS = frozenset({"melding-id", "type", "avsender-id"})


class _Fault(BaseModel):
    """How often a fault strikes.

    Attributes:
        times: How many times; None until it is cleared.
        after: How many that it could have struck are spared first.
        probability: The chance that it strikes, drawn with the simulator's seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: int | None = Field(default=1, ge=1)
    after: int = Field(default=0, ge=0)
    probability: float = Field(default=1.0, gt=0, le=1)


def _known_error(status: int) -> int:
    if HTTPStatus(status) < HTTPStatus.BAD_REQUEST:
        raise ValueError("status must be one of an error")
    return status


class HttpFault(_Fault):
    """What goes wrong with a call over HTTP.

    Attributes:
        path: What the call's path begins with.
        method: Its method; None for any.
        delay_seconds: How long it waits first, in seconds of the simulator's time.
        status: The status it is answered with, undone; None to do it.
        retry_after_seconds: `Retry-After` of that answer.
        connection: `reset` breaks the connection before the call is done, `reset_after` between that and the answer.
        body: `slow` lets the second half of the answer's body wait for `delay_seconds`, `cut` breaks the connection
            after the first half.
        token_seconds: How long the token in the answer lives, whatever the answer itself says, in seconds of the
            simulator's time.
        certificate: What the certificates in the answer are: `expired`, or a `stranger`'s.
        states: Which states of a report the answer tells: `all_but_newest`, as a copy of the data does that lags
            behind, or `none`.
    """

    path: str = "/"
    method: str | None = None
    delay_seconds: float = Field(default=0, ge=0, le=A_YEAR_OF_SECONDS)
    status: Annotated[int, AfterValidator(_known_error)] | None = None
    retry_after_seconds: int | None = Field(default=None, ge=0)
    connection: Literal["kept", "reset", "reset_after"] = "kept"
    body: Literal["whole", "slow", "cut"] = "whole"
    token_seconds: float | None = Field(default=None, ge=0, le=A_YEAR_OF_SECONDS)
    certificate: Literal["own", "expired", "stranger"] = "own"
    states: Literal["all", "all_but_newest", "none"] = "all"


class MessageFault(_Fault):
    """What goes wrong with a message on its way to a queue.

    Attributes:
        effect: What happens to it.
        account: The account it is for; None for any.
        message_type: What its type begins with.
        delay_seconds: How late it arrives, in seconds of the simulator's time, when the effect is `delay`.
    """

    effect: Literal[
        "lose",
        "duplicate",
        "resend",
        "delay",
        "reorder",
        "corrupt",
        "truncate",
        "wrong_key",
        "expired_signer",
        "stranger_signer",
        "no_document",
        "strip_headers",
        "reset",
        "half_open",
    ]
    account: UUID | None = None
    message_type: str = ""
    delay_seconds: float = Field(default=60, ge=0, le=A_YEAR_OF_SECONDS)


AnyFault = TypeVar("AnyFault", HttpFault, MessageFault)
Publish = Callable[[QueuedMessage], None]
Trouble = Literal["reset", "half_open"]


@dataclass(slots=True)
class _Armed:
    fault: HttpFault | MessageFault
    spared: int = 0
    struck: int = 0

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.struck >= self.fault.times


class Faults:
    """The faults that are waiting to strike, in the order they were added; the first that fits does.

    Args:
        clock: The simulator's time.
        agenda: Where delayed messages wait.
        documents: Whose documents go missing.
        resealing: Who seals messages as they should not be.
        seed: What chances are drawn with: the same seed, the same faults.

    Attributes:
        trouble_connections: What makes every AMQP connection break, or fall silent; does nothing until it is set.
    """

    def __init__(
        self,
        clock: SimulatorClock,
        agenda: Agenda,
        documents: Documents,
        resealing: Resealing,
        *,
        seed: int = 0,
    ) -> None:
        self._clock = clock
        self._agenda = agenda
        self._documents = documents
        self._resealing = resealing
        self._random = random.Random(seed)  # noqa: S311 - chances of a test, no secrets
        self._armed: list[_Armed] = []
        self._overtaken: dict[UUID, list[QueuedMessage]] = {}
        self._changed = asyncio.Event()
        self.trouble_connections: Callable[[Trouble], None] = lambda _: None

    def add(self, *faults: HttpFault | MessageFault) -> None:
        """Let faults wait for what they fit."""
        self._armed.extend(_Armed(fault) for fault in faults)

    def clear(self) -> None:
        """Call every fault off."""
        self._armed.clear()

    def struck(self) -> int:
        """How many times those that are still known have struck."""
        return sum(armed.struck for armed in self._armed)

    async def wait_for(self, struck: int = 1) -> None:
        """Wait until faults have struck so many times."""
        while self.struck() < struck:
            await self._changed.wait()

    def for_call(self, method: str, path: str) -> HttpFault | None:
        """The fault that strikes a call, if one does."""
        return self._strike(HttpFault, lambda fault: path.startswith(fault.path) and fault.method in (None, method))

    def deliver(self, recipient: UUID, message: QueuedMessage, publish: Publish) -> None:
        """Publish a message, or what a fault makes of it."""
        kind = message.headers.get("type", "")
        fault = self._strike(
            MessageFault, lambda one: one.account in (None, recipient) and kind.startswith(one.message_type)
        )
        if fault is not None:
            log.info("message %s meets the fault %s", message.headers.get("melding-id"), fault.effect)
        if fault is not None and fault.effect == "reorder":
            self._overtaken.setdefault(recipient, []).append(message)
            return
        self._suffer(fault, recipient, message, publish)
        for overtaken in self._overtaken.pop(recipient, []):
            publish(overtaken)

    def _suffer(self, fault: MessageFault | None, recipient: UUID, message: QueuedMessage, publish: Publish) -> None:
        match fault.effect if fault else None:
            case "lose":
                return
            case "delay" if fault:
                moment = self._clock.now() + timedelta(seconds=fault.delay_seconds)
                self._agenda.at(moment, lambda: publish(message))
                return
            case "duplicate":
                publish(message)
            case "resend":
                publish(replace(message, headers={**message.headers, "melding-id": str(uuid4())}))
            case "no_document":
                self._documents.forget(message.headers.get("dokumentlager-id", ""))
            case "corrupt" | "truncate" | "strip_headers" as how:
                message = _damaged(message, how)
            case "wrong_key" | "expired_signer" | "stranger_signer" as how:
                message = replace(message, body=self._resealing.reseal(message.body, recipient, how))
            case "reset" | "half_open" as how:
                self.trouble_connections(how)
        publish(message)

    def _strike(self, kind: type[AnyFault], fits: Callable[[AnyFault], bool]) -> AnyFault | None:
        for armed in self._armed:
            fault = armed.fault
            if not isinstance(fault, kind) or armed.spent or not fits(fault):
                continue
            if armed.spared < fault.after:
                armed.spared += 1
                continue
            if self._random.random() < fault.probability:
                armed.struck += 1
                self._changed.set()
                self._changed = asyncio.Event()
                return fault
        return None


def _damaged(message: QueuedMessage, how: str) -> QueuedMessage:
    if how == "strip_headers":
        kept = {name: value for name, value in message.headers.items() if name not in REQUIRED_HEADERS}
        return replace(message, headers=kept)
    middle = len(message.body) // 2
    if how == "truncate" or not message.body:
        return replace(message, body=message.body[:middle])
    flipped = bytes([message.body[middle] ^ 0xFF])
    return replace(message, body=message.body[:middle] + flipped + message.body[middle + 1 :])
