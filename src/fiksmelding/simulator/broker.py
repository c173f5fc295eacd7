"""The seam between the platform and its broker: the embedded one (`queues` and `amqp`), or a RabbitMQ (`rabbitmq`)."""

from typing import Protocol

from fiksmelding.simulator.queues import QueuedMessage, QueueState

__all__ = ["Broker", "Handed", "Service"]


class Handed(Protocol):
    """One message in a service's hands."""

    @property
    def message(self) -> QueuedMessage:
        """The message."""
        ...

    def ack(self) -> None:
        """Remove it from its queue for good."""
        ...


class Service(Protocol):
    """A part of the platform that has an account of its own."""

    def ready(self) -> bool:
        """Whether one more message can be taken now."""
        ...

    def deliver(self, handed: Handed, /) -> None:
        """Take a message, and acknowledge it before returning."""
        ...


class Broker(Protocol):
    """What the platform needs of a broker. Told of each message that died, it is the platform that tells the sender."""

    def declare(self, name: str) -> None:
        """Make a queue; one that exists is left as it is."""
        ...

    def publish(self, name: str, message: QueuedMessage) -> None:
        """Put a message last in a queue that was declared. From here on it is the broker's to keep."""
        ...

    def subscribe(self, name: str, service: Service, /) -> None:
        """Hand every message of a queue to a part of the platform."""
        ...

    async def state(self, name: str) -> QueueState:
        """What goes on at a queue.

        Raises:
            BrokerUnavailable: The broker does not answer.
        """
        ...
