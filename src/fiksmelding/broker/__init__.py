"""The queue over AMQP: connecting, and deliveries with their metadata."""

from fiksmelding.broker.consumer import Consumer
from fiksmelding.broker.delivery import Credentials, Delivery
from fiksmelding.broker.metadata import Metadata
from fiksmelding.broker.status import ConsumerState, ConsumerStatus

__all__ = ["Consumer", "ConsumerState", "ConsumerStatus", "Credentials", "Delivery", "Metadata"]
