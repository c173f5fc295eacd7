"""An AMQP 0-9-1 server for consumers, over TLS: the platform's broker on one machine."""

from fiksmelding.simulator.amqp.handshake import Authenticate, Login
from fiksmelding.simulator.amqp.replies import AccessDenied
from fiksmelding.simulator.amqp.server import AmqpServer

__all__ = ["AccessDenied", "AmqpServer", "Authenticate", "Login"]
