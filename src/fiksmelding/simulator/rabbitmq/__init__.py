"""The platform's queues on a real RabbitMQ: quorum queues, its dead letters, and who may log in there."""

from fiksmelding.simulator.rabbitmq.address import RabbitAddress
from fiksmelding.simulator.rabbitmq.broker import RabbitBroker
from fiksmelding.simulator.rabbitmq.configuration import (
    ADMINISTRATOR,
    QUESTIONS_PATH,
    NodeConfiguration,
    write_configuration,
)
from fiksmelding.simulator.rabbitmq.questions import Questions

__all__ = [
    "ADMINISTRATOR",
    "QUESTIONS_PATH",
    "NodeConfiguration",
    "Questions",
    "RabbitAddress",
    "RabbitBroker",
    "write_configuration",
]
