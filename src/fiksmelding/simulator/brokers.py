"""The broker that a simulator runs on: the embedded one, or a RabbitMQ."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fiksmelding.errors import FiksmeldingError
from fiksmelding.simulator.accounts import Register
from fiksmelding.simulator.amqp import AmqpServer
from fiksmelding.simulator.keys import Keys
from fiksmelding.simulator.platform import Platform
from fiksmelding.simulator.queues import OnDead, Queues
from fiksmelding.simulator.rabbitmq import Questions, RabbitAddress, RabbitBroker
from fiksmelding.simulator.tls import client_context, server_context

__all__ = ["AnyBroker", "rabbit_maker", "running_broker", "silence"]

AnyBroker = AmqpServer | RabbitBroker


def rabbit_maker(
    address: RabbitAddress | None, keys: Keys, register: Register
) -> Callable[[OnDead], RabbitBroker] | None:
    """What makes the platform's broker when that is a RabbitMQ; None when it is not.

    Raises:
        SettingsError: The root certificates that the address names cannot be used.
    """
    if address is None:
        return None
    tls = client_context(keys.authority.roots_pem, address.ca_file)
    return lambda on_dead: RabbitBroker(address, tls, on_dead, clients=lambda: map(str, register.integrations))


@asynccontextmanager
async def running_broker(
    platform: Platform, keys: Keys, questions: Questions, *, host: str, port: int, names: tuple[str, ...]
) -> AsyncIterator[AnyBroker]:
    """Serve the platform's queues.

    Args:
        platform: Whose queues.
        keys: Where the embedded broker's certificate is from.
        questions: What a RabbitMQ asks; they must be answered already.
        host: The address that the embedded broker listens on.
        port: Its port; 0 for a free one.
        names: What clients call it.

    Raises:
        BrokerUnavailable: The RabbitMQ cannot be reached.
        BrokerAccessRefused: It refuses the administrator.
        SettingsError: It does not ask the simulator who may log in, or another simulator uses it.
    """
    match platform.broker:
        case RabbitBroker() as rabbit:
            async with rabbit:
                await rabbit.check_login(*questions.probe)
                questions.open()
                yield rabbit
        case Queues() as queues:
            tls = server_context(keys.server(*names))
            async with AmqpServer(
                queues, authenticate=platform.log_in, ssl_context=tls, host=host, port=port
            ) as server:
                yield server


def silence(broker: AnyBroker) -> None:
    """Leave every client's connection half open.

    Raises:
        FiksmeldingError: It is a RabbitMQ, which knows no such thing.
    """
    if isinstance(broker, RabbitBroker):
        raise FiksmeldingError("Connections to a RabbitMQ cannot be left half open: cut its network instead.")
    broker.go_silent()
