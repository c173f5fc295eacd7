"""A delivery, and the way to acknowledge it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import SecretStr

from fiksmelding.broker.metadata import Metadata
from fiksmelding.errors import BrokerError, BrokerUnavailable


@dataclass(frozen=True, slots=True)
class Credentials:
    """What we log in to the broker with.

    Attributes:
        user: The user name.
        password: The password.
    """

    user: str
    password: SecretStr

    @classmethod
    def of_integration(cls, integration_id: UUID, password: SecretStr, token: SecretStr) -> Self:
        """The platform's way: the integration's id; its password, one space, an access token (contract section 3)."""
        return cls(str(integration_id), SecretStr(f"{password.get_secret_value()} {token.get_secret_value()}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message the broker handed to us and has not forgotten yet.

    Attributes:
        metadata: Its headers.
        body: Its body, sealed.
        redelivered: It was delivered before, to us or another consumer.
        received_at: When it came, aware, UTC.
        queue: The queue it came from.
        alive: Whether the channel it came by is still open. Otherwise it comes again.
    """

    metadata: Metadata
    body: bytes = field(repr=False)
    redelivered: bool
    received_at: datetime
    queue: str
    acknowledge: Callable[[], Awaitable[None]] = field(repr=False, compare=False)
    alive: Callable[[], bool] = field(repr=False, compare=False)

    async def ack(self) -> None:
        """Tell the broker to forget the message: it is safely kept. A second ack does nothing.

        AMQP does not answer an ack. When this returns it was written to a connection that seemed alive; should it be
        lost nevertheless, the message comes again.

        Raises:
            BrokerUnavailable: The channel it came by is gone. The message will come again.
        """
        await self.acknowledge()


class Acknowledgement:
    """Sends the ack of one delivery, once.

    Args:
        send: Writes the ack to the channel the delivery came by.
        message_id: The delivery's `melding-id`, for the error.
    """

    def __init__(self, send: Callable[[], Awaitable[None]], message_id: str | None) -> None:
        self._send = send
        self._message_id = message_id
        self._one_at_a_time = asyncio.Lock()
        self._done = False

    async def __call__(self) -> None:
        """Send the ack, unless it has been sent.

        Raises:
            BrokerUnavailable: The channel is gone.
        """
        # A second ack for the same delivery makes the broker close the channel.
        async with self._one_at_a_time:
            if self._done:
                return
            try:
                await self._send()
            except BrokerError as error:
                raise BrokerUnavailable(
                    "The delivery can no longer be acknowledged: it will come again.", message_id=self._message_id
                ) from error
            self._done = True
