"""Two independent AMQP clients behind one face: pika, and py-amqp of the Celery project."""

import os
import socket
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import amqp
import amqp.exceptions
import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel

from support.broker_platforms import Address

SECONDS = 10


class Refused(Exception):
    """The broker closed the channel or the connection.

    Attributes:
        code: The reply code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Received:
    """A delivery."""

    tag: int
    redelivered: bool
    routing_key: str
    melding_id: str
    headers: dict[str, object]
    expiration: str | None
    body: bytes


class Client(Protocol):
    """A blocking client with one channel; a test runs it in a thread."""

    def consume(self, queue: str, *, prefetch: int = 10, exclusive: bool = False) -> None: ...
    def cancel(self) -> None: ...
    def next(self) -> Received: ...
    def ack(self, tag: int, *, multiple: bool = False) -> None: ...
    def reject(self, tag: int, *, requeue: bool) -> None: ...
    def recover(self) -> None: ...
    def get(self, queue: str) -> Received | None: ...
    def look(self, queue: str) -> tuple[int, int]: ...
    def declare(self, queue: str) -> None: ...
    def publish(self, queue: str) -> None: ...
    def reopen(self) -> None: ...
    def drop(self) -> None: ...
    def close(self) -> None: ...


Connect = Callable[[Address], Client]


class PikaClient:
    """pika."""

    def __init__(self, address: Address) -> None:
        parameters = pika.ConnectionParameters(
            "127.0.0.1",
            address.port,
            credentials=pika.PlainCredentials(address.user, address.password),
            ssl_options=pika.SSLOptions(address.tls, "127.0.0.1"),
        )
        try:
            self._connection = pika.BlockingConnection(parameters)
        except pika.exceptions.AMQPConnectionError as error:
            raise Refused(403 if "ACCESS_REFUSED" in repr(error) else 0) from error
        self._channel: BlockingChannel = self._connection.channel()
        self._arrived: deque[Received] = deque()
        self._tag = ""

    def consume(self, queue: str, *, prefetch: int = 10, exclusive: bool = False) -> None:
        def arrived(_: object, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes) -> None:
            self._arrived.append(_from_pika(method, properties, body))

        with _pika_refusals():
            self._channel.basic_qos(prefetch_count=prefetch)
            self._tag = self._channel.basic_consume(queue, arrived, exclusive=exclusive)

    def cancel(self) -> None:
        self._channel.basic_cancel(self._tag)

    def next(self) -> Received:
        with _pika_refusals():
            for _ in range(100):
                if self._arrived:
                    return self._arrived.popleft()
                self._connection.process_data_events(time_limit=SECONDS / 100)
        raise TimeoutError("no delivery")

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        with _pika_refusals():
            self._channel.basic_ack(tag, multiple=multiple)

    def reject(self, tag: int, *, requeue: bool) -> None:
        with _pika_refusals():
            self._channel.basic_nack(tag, requeue=requeue)

    def recover(self) -> None:
        self._channel.basic_recover(requeue=True)

    def get(self, queue: str) -> Received | None:
        with _pika_refusals():
            method, properties, body = self._channel.basic_get(queue)
        return None if method is None else _from_pika(method, properties, body)

    def look(self, queue: str) -> tuple[int, int]:
        with _pika_refusals():
            answer = self._channel.queue_declare(queue, passive=True).method
        return answer.message_count, answer.consumer_count

    def declare(self, queue: str) -> None:
        with _pika_refusals():
            self._channel.queue_declare(queue)

    def publish(self, queue: str) -> None:
        with _pika_refusals():
            self._channel.confirm_delivery()
            self._channel.basic_publish("", queue, b"x" * 300_000)

    def reopen(self) -> None:
        if self._channel.is_open:
            self._channel.close()
        self._arrived.clear()
        self._channel = self._connection.channel()

    def drop(self) -> None:
        _cut(self._connection._impl._transport._sock.fileno())

    def close(self) -> None:
        with suppress(pika.exceptions.AMQPError):
            self._connection.close()


class _pika_refusals:  # noqa: N801  (read as a context manager function; generators would keep the traceback alive)
    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, pika.exceptions.ChannelClosedByBroker | pika.exceptions.ConnectionClosedByBroker):
            raise Refused(error.reply_code) from error


def _from_pika(
    method: pika.spec.Basic.Deliver | pika.spec.Basic.GetOk, properties: pika.BasicProperties, body: bytes
) -> Received:
    headers = dict(properties.headers)
    return Received(
        method.delivery_tag,
        method.redelivered,
        method.routing_key,
        headers["melding-id"],
        headers,
        properties.expiration,
        body,
    )


class PyAmqpClient:
    """py-amqp, which Celery uses."""

    def __init__(self, address: Address) -> None:
        self._connection = amqp.Connection(
            f"127.0.0.1:{address.port}",
            address.user,
            address.password,
            ssl={"ca_certs": address.roots, "server_hostname": "127.0.0.1", "cert_reqs": ssl.CERT_REQUIRED},
            read_timeout=SECONDS,
            connect_timeout=SECONDS,
        )
        with _amqp_refusals():
            self._connection.connect()
        self._channel = self._connection.channel()
        self._arrived: deque[Received] = deque()
        self._tag = ""

    def consume(self, queue: str, *, prefetch: int = 10, exclusive: bool = False) -> None:
        with _amqp_refusals():
            self._channel.basic_qos(0, prefetch, False)
            self._tag = self._channel.basic_consume(
                queue, callback=lambda message: self._arrived.append(_from_amqp(message)), exclusive=exclusive
            )

    def cancel(self) -> None:
        self._channel.basic_cancel(self._tag)

    def next(self) -> Received:
        with _amqp_refusals():
            while not self._arrived:
                self._connection.drain_events(timeout=SECONDS)
        return self._arrived.popleft()

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        self._channel.basic_ack(tag, multiple=multiple)

    def reject(self, tag: int, *, requeue: bool) -> None:
        self._channel.basic_reject(tag, requeue=requeue)

    def recover(self) -> None:
        self._channel.basic_recover(requeue=True)

    def get(self, queue: str) -> Received | None:
        with _amqp_refusals():
            message = self._channel.basic_get(queue)
        return None if message is None else _from_amqp(message)

    def look(self, queue: str) -> tuple[int, int]:
        with _amqp_refusals():
            answer = self._channel.queue_declare(queue, passive=True)
        return answer.message_count, answer.consumer_count

    def declare(self, queue: str) -> None:
        with _amqp_refusals():
            self._channel.queue_declare(queue)

    def publish(self, queue: str) -> None:
        with _amqp_refusals():
            self._channel.confirm_select()
            self._channel.basic_publish(amqp.Message(b"x" * 300_000), routing_key=queue)
            self._channel.queue_declare(queue, passive=True)  # The refusal comes with the next answer.

    def reopen(self) -> None:
        if self._channel.is_open:
            self._channel.close()
        self._arrived.clear()
        self._channel = self._connection.channel()

    def drop(self) -> None:
        _cut(self._connection.transport.sock.fileno())

    def close(self) -> None:
        with suppress(OSError, amqp.exceptions.AMQPError):
            self._connection.close()


def _cut(descriptor: int) -> None:
    """End a TCP connection below the client and its TLS, as a network does: no client offers that."""
    with socket.socket(fileno=os.dup(descriptor)) as below:
        below.shutdown(socket.SHUT_RDWR)


class _amqp_refusals:  # noqa: N801  (as above)
    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, amqp.exceptions.AMQPError):
            raise Refused(error.reply_code) from error


def _from_amqp(message: amqp.Message) -> Received:
    body = message.body
    return Received(
        message.delivery_tag,
        message.delivery_info["redelivered"],
        message.delivery_info["routing_key"],
        message.headers["melding-id"],
        message.headers,
        message.properties.get("expiration"),
        body if isinstance(body, bytes) else body.encode(),
    )
