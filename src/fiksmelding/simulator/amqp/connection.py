"""One client's connection, from its handshake to its last frame."""

import asyncio
import logging
from collections.abc import Iterable

from pamqp import commands
from pamqp.frame import marshal

from fiksmelding.simulator.amqp.channel import Channel
from fiksmelding.simulator.amqp.handshake import Authenticate, Session, shake_hands
from fiksmelding.simulator.amqp.replies import AccessDenied, Disconnected, HardError, ReplyCode, SoftError
from fiksmelding.simulator.amqp.stream import FrameStream, Heartbeat, Incoming, Method, method_ids
from fiksmelding.simulator.queues import Queues

__all__ = ["Connection"]

CLOSE_SECONDS = 2.0
"""How long a client may take to answer a close before it is cut off."""

UNANSWERED = (commands.Basic.Ack, commands.Basic.Nack, commands.Basic.Reject)
"""A client that reads slowly must still be able to acknowledge, so its reading is not waited for after these."""

METHODS: Iterable[type[Method]] = commands.INDEX_MAPPING.values()
SERVER_ONLY = frozenset(name for method in METHODS for name in method.valid_responses) | {
    "Basic.Deliver",
    "Basic.Return",
}

CONNECTION_CLASS = 10
END_OF_CLOSE_OK = marshal(commands.Connection.CloseOk(), 0)[-5:]
"""Class, method and end octet; where frames begin can no longer be told when it is looked for."""

logger = logging.getLogger(__name__)


class Connection:
    """Serves one client.

    Args:
        stream: Its frames.
        queues: The platform's queues.
        authenticate: Who may log in.
        handshake_seconds: How long logging in may take.
        blocked: Why the broker takes no messages now; None when it does.
    """

    def __init__(
        self,
        stream: FrameStream,
        *,
        queues: Queues,
        authenticate: Authenticate,
        handshake_seconds: float,
        blocked: str | None = None,
    ) -> None:
        self._stream = stream
        self._queues = queues
        self._authenticate = authenticate
        self._handshake_seconds = handshake_seconds
        self._session: Session | None = None
        self._channels: dict[int, Channel] = {}
        self._closing_channels: set[int] = set()
        self._closing = False
        self._blocked = blocked
        self._current = (0, 0)

    async def run(self) -> None:
        """Serve until either side closes. However it ends, what was not acknowledged is given back."""
        heartbeats: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(self._handshake_seconds):
                self._session = await shake_hands(self._stream, self._authenticate)
            self._stream.on_room(self._wake)
            if self._blocked is not None:
                self.block(self._blocked)
            heartbeats = asyncio.create_task(self._keep_alive(self._session.heartbeat))
            await self._serve(self._session)
        except HardError as error:
            await self._refuse(error)
        except Disconnected as error:
            logger.debug("A connection ended: %s", error)
        except TimeoutError:
            logger.info("A client did not log in within %s seconds.", self._handshake_seconds)
        except Exception:  # A mistake of ours may cost this client its connection, never the others theirs.
            logger.exception("The server failed while serving a client.")
            await self._refuse(HardError(ReplyCode.INTERNAL_ERROR, "the server failed"))
        finally:
            if heartbeats:
                heartbeats.cancel()
            self.release()
            await self._stream.close(CLOSE_SECONDS)

    def stop_consuming(self) -> None:
        """End all consumers; what they hold stays held."""
        for channel in self._channels.values():
            channel.stop_consuming()

    def release(self) -> None:
        """Give back everything that was not acknowledged."""
        # All consumers go first: what one channel gives back must not be handed to the next one of a lost connection.
        self.stop_consuming()
        for channel in self._channels.values():
            channel.release()
        self._channels.clear()

    def close(self, error: HardError) -> None:
        """Begin to close in good order: say why, then wait a little for the client's answer."""
        if self._closing:
            return
        self._closing = True
        self.release()
        self._stream.send(0, commands.Connection.Close(error.code, error.reply_text, *self._current))
        self._stream.abort_after(CLOSE_SECONDS)

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._stream.abort()

    def block(self, reason: str) -> None:
        """Tell the client, if it can be told, that the broker takes no messages now."""
        self._blocked = reason
        self._tell(commands.Connection.Blocked(reason))

    def unblock(self) -> None:
        """Tell the client that the broker takes messages again."""
        self._blocked = None
        self._tell(commands.Connection.Unblocked())

    def cancel_consumers(self, queue: str) -> None:
        """End the client's consumers of a queue, and tell it if it can be told."""
        notify = self._can("consumer_cancel_notify")
        for channel in self._channels.values():
            channel.cancel_consumers(queue, notify=notify)

    def go_silent(self) -> None:
        """Neither read nor send any more, as when the network between has gone."""
        self._stream.go_silent()

    def _can(self, capability: str) -> bool:
        return self._session is not None and capability in self._session.capabilities

    def _tell(self, method: Method) -> None:
        if self._can("connection.blocked") and not self._closing:
            self._stream.send(0, method)

    async def _refuse(self, error: HardError) -> None:
        logger.info("Closing a connection: %s", error)
        self.close(error)
        try:
            while True:
                self._expect_end(await self._stream.read())
        except HardError:
            await self._stream.discard_rest(until=END_OF_CLOSE_OK)
        except Disconnected:
            pass

    async def _serve(self, session: Session) -> None:
        while True:
            number, frame = await self._stream.read()
            if self._closing:
                self._expect_end((number, frame))
                continue
            self._current = method_ids(frame) if isinstance(frame, Method) else (0, 0)
            if isinstance(frame, Heartbeat):
                if number:
                    raise HardError(ReplyCode.FRAME_ERROR, "heartbeat on a channel")
            elif number == 0:
                await self._handle(frame, session)
            else:
                self._handle_on_channel(number, frame, session)
            if not isinstance(frame, UNANSWERED):
                await self._stream.drain()

    def _expect_end(self, received: tuple[int, Incoming]) -> None:
        _, frame = received
        if isinstance(frame, commands.Connection.Close):
            self._stream.send(0, commands.Connection.CloseOk())
        elif isinstance(frame, commands.Connection.CloseOk):
            raise Disconnected("The client agreed to close.")

    async def _handle(self, frame: Incoming, session: Session) -> None:
        match frame:
            case commands.Connection.Close():
                self.release()
                self._stream.send(0, commands.Connection.CloseOk())
                raise Disconnected("The client closed.")
            case commands.Connection.UpdateSecret():
                await self._update_secret(frame, session)
            case Method():
                raise HardError(ReplyCode.CHANNEL_ERROR, f"{frame.name} is not expected on channel 0")
            case _:
                raise HardError(ReplyCode.UNEXPECTED_FRAME, "content on channel 0")

    async def _update_secret(self, frame: commands.Connection.UpdateSecret, session: Session) -> None:
        try:
            async with asyncio.timeout(self._handshake_seconds):
                await self._authenticate(session.user, str(frame.new_secret))
        except AccessDenied as error:
            raise HardError(ReplyCode.NOT_ALLOWED, f"the new secret was refused: {error}") from error
        self._stream.send(0, commands.Connection.UpdateSecretOk())

    def _handle_on_channel(self, number: int, frame: Incoming, session: Session) -> None:
        if number in self._closing_channels:
            self._expect_end_of_channel(number, frame)
            return
        channel = self._channels.get(number)
        if isinstance(frame, commands.Channel.Open):
            self._open_channel(number, session)
        elif isinstance(frame, commands.Channel.CloseOk):
            pass  # A late answer, after both sides closed at the same time.
        elif channel is None:
            raise HardError(ReplyCode.CHANNEL_ERROR, f"channel {number} is not open")
        elif not isinstance(frame, Method):
            raise HardError(ReplyCode.UNEXPECTED_FRAME, "content without a method that carries it")
        else:
            self._handle_method(channel, frame)

    def _handle_method(self, channel: Channel, method: Method) -> None:
        if isinstance(method, commands.Channel.Close):
            channel.release()
            del self._channels[channel.number]
            self._stream.send(channel.number, commands.Channel.CloseOk())
        elif method.name in SERVER_ONLY or method_ids(method)[0] == CONNECTION_CLASS:
            raise HardError(ReplyCode.COMMAND_INVALID, f"{method.name} is not expected on a channel")
        else:
            try:
                channel.handle(method)
            except SoftError as error:
                self._close_channel(channel, error)

    def _open_channel(self, number: int, session: Session) -> None:
        if number in self._channels:
            raise HardError(ReplyCode.CHANNEL_ERROR, "second 'channel.open' seen")
        if number > session.channel_max:
            raise HardError(ReplyCode.CHANNEL_ERROR, f"channel {number} is over the limit of {session.channel_max}")
        self._channels[number] = Channel(
            number, stream=self._stream, queues=self._queues, login=session.login, user=session.user
        )
        self._stream.send(number, commands.Channel.OpenOk())

    def _close_channel(self, channel: Channel, error: SoftError) -> None:
        logger.info("Closing a channel: %s", error)
        del self._channels[channel.number]
        self._closing_channels.add(channel.number)
        self._stream.send(channel.number, commands.Channel.Close(error.code, error.reply_text, *self._current))
        channel.release()

    def _expect_end_of_channel(self, number: int, frame: Incoming) -> None:
        if isinstance(frame, commands.Channel.Close):
            self._stream.send(number, commands.Channel.CloseOk())
        elif isinstance(frame, commands.Channel.CloseOk):
            self._closing_channels.remove(number)

    def _wake(self) -> None:
        for channel in list(self._channels.values()):
            channel.wake()

    async def _keep_alive(self, seconds: int) -> None:
        """Send signs of life, and cut a client that shows none: it holds messages that others could have."""
        if not seconds:
            return
        loop = asyncio.get_running_loop()
        while loop.time() - self._stream.received_at < 2 * seconds:
            await asyncio.sleep(seconds / 2)
            self._stream.send_heartbeat()
        logger.info("A client was silent for %s seconds and is cut off.", 2 * seconds)
        self.abort()
