"""A channel: consumers, deliveries and their acknowledgements (AMQP 0-9-1, classes channel, basic, queue)."""

import secrets
from dataclasses import dataclass
from functools import singledispatchmethod

from pamqp import commands

from fiksmelding.simulator.amqp.consumer import Consumer, Window
from fiksmelding.simulator.amqp.handshake import Login
from fiksmelding.simulator.amqp.replies import HardError, ReplyCode, SoftError
from fiksmelding.simulator.amqp.stream import FrameStream, Method
from fiksmelding.simulator.queues import Lease, QueueInUse, Queues

__all__ = ["Channel"]

EXCHANGE = ""
"""Deliveries come from the default exchange, where the routing key is the queue's name (contract section 6)."""


@dataclass(frozen=True, slots=True)
class _Outstanding:
    lease: Lease
    windows: tuple[Window, ...]


class Channel:
    """One open channel of a connection.

    Args:
        number: The channel's number.
        stream: Where its frames go.
        queues: The queues it may consume from.
        login: Whose connection it is.
        user: The user's name, for error texts.
    """

    def __init__(self, number: int, *, stream: FrameStream, queues: Queues, login: Login, user: str) -> None:
        self.number = number
        self._stream = stream
        self._queues = queues
        self._login = login
        self._user = user
        self._consumers: dict[str, Consumer] = {}
        self._outstanding: dict[int, _Outstanding] = {}
        self._last_tag = 0
        self._last_queue = ""
        self._prefetch = 0
        self._shared = Window()

    def stop_consuming(self) -> None:
        """End all consumers; what they hold stays held."""
        for consumer in self._consumers.values():
            self._queues.unsubscribe(consumer.queue, consumer)
        self._consumers.clear()

    def cancel_consumers(self, queue: str, *, notify: bool) -> None:
        """End the consumers of a queue from the broker's side; what they hold stays held.

        Args:
            queue: The queue's name.
            notify: Whether the client understands being told.
        """
        for consumer in [one for one in self._consumers.values() if one.queue == queue]:
            self._queues.unsubscribe(queue, consumer)
            del self._consumers[consumer.tag]
            if notify:
                self._send(commands.Basic.Cancel(consumer.tag, nowait=True))

    def release(self) -> None:
        """Give back everything that was not acknowledged: each a failed attempt."""
        self.stop_consuming()
        self._requeue(list(self._outstanding))

    def wake(self) -> None:
        """Go on delivering: there is room again."""
        for name in {consumer.queue for consumer in self._consumers.values()}:
            self._queues.wake(name)

    @singledispatchmethod
    def handle(self, method: Method) -> None:
        """Do what a method asks.

        Raises:
            SoftError: It is refused, and the channel with it.
            HardError: It is refused, and the connection with it.
        """
        raise SoftError(ReplyCode.ACCESS_REFUSED, f"{method.name} is not for users of this platform")

    @handle.register
    def _qos(self, method: commands.Basic.Qos) -> None:
        if method.prefetch_size:
            raise HardError(ReplyCode.NOT_IMPLEMENTED, f"prefetch_size!=0 ({method.prefetch_size})")
        if method.global_:
            self._shared.limit = method.prefetch_count
        else:
            self._prefetch = method.prefetch_count  # For consumers from now on, as RabbitMQ reads the specification.
        self._send(commands.Basic.QosOk())
        self.wake()

    @handle.register
    def _consume(self, method: commands.Basic.Consume) -> None:
        queue = self._readable(method.queue)
        tag = method.consumer_tag or f"amq.ctag-{secrets.token_urlsafe(16)}"
        if tag in self._consumers:
            raise HardError(ReplyCode.NOT_ALLOWED, f"attempt to reuse consumer tag '{tag}'")
        consumer = Consumer(
            tag,
            queue,
            no_ack=method.no_ack,
            windows=(Window(self._prefetch), self._shared),
            writable=lambda: self._stream.writable,
            deliver=self._deliver,
        )
        try:
            self._queues.subscribe(queue, consumer, exclusive=method.exclusive)
        except QueueInUse as error:
            text = f"queue '{queue}' in vhost '/' in exclusive use"
            raise SoftError(ReplyCode.ACCESS_REFUSED, text) from error
        self._consumers[tag] = consumer
        if not method.nowait:
            self._send(commands.Basic.ConsumeOk(tag))
        self._queues.wake(queue)

    @handle.register
    def _cancel(self, method: commands.Basic.Cancel) -> None:
        consumer = self._consumers.pop(method.consumer_tag or "", None)
        if consumer:
            self._queues.unsubscribe(consumer.queue, consumer)
        if not method.nowait:
            self._send(commands.Basic.CancelOk(method.consumer_tag))

    @handle.register
    def _get(self, method: commands.Basic.Get) -> None:
        queue = self._readable(method.queue)
        lease = self._queues.take(queue)
        if lease is None:
            self._send(commands.Basic.GetEmpty())
            return
        tag = self._hold(lease, ()) if not method.no_ack else self._keep_nothing(lease)
        left = self._queues.depth(queue)
        self._send_content(commands.Basic.GetOk(tag, lease.redelivered, EXCHANGE, queue, left), lease)

    @handle.register
    def _ack(self, method: commands.Basic.Ack) -> None:
        for one in self._settled(method.delivery_tag, multiple=method.multiple):
            one.lease.ack()
        self.wake()

    @handle.register
    def _nack(self, method: commands.Basic.Nack) -> None:
        self._refuse(method.delivery_tag, multiple=method.multiple, requeue=method.requeue)

    @handle.register
    def _reject(self, method: commands.Basic.Reject) -> None:
        self._refuse(method.delivery_tag or 0, multiple=False, requeue=method.requeue)

    @handle.register(commands.Basic.Recover)
    @handle.register(commands.Basic.RecoverAsync)
    def _recover(self, method: commands.Basic.Recover | commands.Basic.RecoverAsync) -> None:
        if not method.requeue:
            raise HardError(ReplyCode.NOT_IMPLEMENTED, "requeue=false")
        if isinstance(method, commands.Basic.Recover):
            self._send(commands.Basic.RecoverOk())  # Before anything comes again: from here on, old tags are gone.
        self._requeue(list(self._outstanding))
        self.wake()

    @handle.register
    def _declare(self, method: commands.Queue.Declare) -> None:
        if not method.passive:
            text = f"configure access to queue '{method.queue}' in vhost '/' refused for user '{self._user}'"
            raise SoftError(ReplyCode.ACCESS_REFUSED, text)
        queue = self._readable(method.queue)
        self._last_queue = queue
        if not method.nowait:
            self._send(commands.Queue.DeclareOk(queue, self._queues.depth(queue), self._queues.consumers(queue)))

    @handle.register
    def _publish(self, method: commands.Basic.Publish) -> None:
        # Its content follows, and is skipped as everything on a channel that is being closed.
        text = f"write access to exchange '{method.exchange}' in vhost '/' refused for user '{self._user}'"
        raise SoftError(ReplyCode.ACCESS_REFUSED, text)

    @handle.register
    def _select(self, method: commands.Confirm.Select) -> None:
        if not method.nowait:
            self._send(commands.Confirm.SelectOk())

    @handle.register
    def _flow(self, method: commands.Channel.Flow) -> None:
        if not method.active:
            raise HardError(ReplyCode.NOT_IMPLEMENTED, "active=false")
        self._send(commands.Channel.FlowOk(active=True))

    @handle.register
    def _transaction(self, method: commands.Tx.Select) -> None:
        raise HardError(ReplyCode.NOT_IMPLEMENTED, f"{method.name} is not supported")

    def _readable(self, name: str) -> str:
        queue = name or self._last_queue
        if not queue:
            raise SoftError(ReplyCode.NOT_FOUND, "no previously declared queue")
        if not self._login.may_read(queue):
            text = f"read access to queue '{queue}' in vhost '/' refused for user '{self._user}'"
            raise SoftError(ReplyCode.ACCESS_REFUSED, text)
        if not self._queues.exists(queue):
            raise SoftError(ReplyCode.NOT_FOUND, f"no queue '{queue}' in vhost '/'")
        return queue

    def _deliver(self, consumer: Consumer, lease: Lease) -> None:
        tag = self._keep_nothing(lease) if consumer.no_ack else self._hold(lease, consumer.windows)
        deliver = commands.Basic.Deliver(consumer.tag, tag, lease.redelivered, EXCHANGE, lease.queue)
        self._send_content(deliver, lease)

    def _hold(self, lease: Lease, windows: tuple[Window, ...]) -> int:
        self._last_tag += 1
        self._outstanding[self._last_tag] = _Outstanding(lease, windows)
        for window in windows:
            window.used += 1
        return self._last_tag

    def _keep_nothing(self, lease: Lease) -> int:
        lease.ack()
        self._last_tag += 1
        return self._last_tag

    def _refuse(self, tag: int, *, multiple: bool, requeue: bool) -> None:
        for one in self._settled(tag, multiple=multiple):
            if requeue:
                one.lease.requeue()
            else:
                one.lease.discard()
        self.wake()

    def _requeue(self, tags: list[int]) -> None:
        for one in self._let_go(tags):
            one.lease.requeue()

    def _settled(self, tag: int, *, multiple: bool) -> list[_Outstanding]:
        if multiple and tag == 0:
            return self._let_go(list(self._outstanding))
        if tag not in self._outstanding:
            raise SoftError(ReplyCode.PRECONDITION_FAILED, f"unknown delivery tag {tag}")
        return self._let_go([one for one in self._outstanding if one <= tag] if multiple else [tag])

    def _let_go(self, tags: list[int]) -> list[_Outstanding]:
        let_go = [self._outstanding.pop(tag) for tag in tags]
        for one in let_go:
            for window in one.windows:
                window.used -= 1
        return let_go

    def _send(self, method: Method) -> None:
        self._stream.send(self.number, method)

    def _send_content(self, method: Method, lease: Lease) -> None:
        message = lease.message
        expiration = None if lease.expiration_ms is None else str(lease.expiration_ms)
        properties = commands.Basic.Properties(headers=dict(message.headers), expiration=expiration)
        self._stream.send_content(self.number, method, properties, message.body)
