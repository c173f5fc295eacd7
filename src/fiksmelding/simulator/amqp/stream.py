"""AMQP frames on a byte stream (AMQP 0-9-1, section 4.2)."""

import asyncio
import struct
from collections.abc import Callable
from contextlib import suppress

from pamqp import body, commands, constants, exceptions, frame, header
from pamqp.base import Frame as Method
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat

from fiksmelding.simulator.amqp.replies import Disconnected, HardError, ReplyCode

__all__ = ["FrameStream", "Heartbeat", "Incoming", "Method", "StreamProtocol", "method_ids"]

HEADER_BYTES = 7
OVERHEAD_BYTES = 8
"""What a frame adds to its payload: the header and the end octet."""

FRAME_TYPES = frozenset(
    {constants.FRAME_METHOD, constants.FRAME_HEADER, constants.FRAME_BODY, constants.FRAME_HEARTBEAT}
)
MALFORMED = (exceptions.PAMQPException, ArithmeticError, LookupError, OSError, RecursionError, TypeError, ValueError)
"""What pamqp raises on hostile bytes; OSError and ArithmeticError come from timestamps out of range."""

READ_LIMIT_BYTES = 64 * 1024
WRITE_LIMIT_BYTES = 256 * 1024
"""Deliveries pause while more than this waits to be sent, so a consumer that does not read costs bounded memory."""

FIELDS_MAX_BYTES = 32 * 1024
"""The largest frame with fields that is decoded: no client needs a tenth, and pamqp's time for a table is quadratic."""

FLUSH_BYTES = 64 * 1024
"""What is gathered before it is sent without waiting for more."""

Incoming = Method | ContentHeader | body.ContentBody | Heartbeat


class StreamProtocol(asyncio.StreamReaderProtocol):
    """Tells when the peer reads too slowly, and when it has caught up."""

    def __init__(self, connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]) -> None:
        super().__init__(asyncio.StreamReader(limit=READ_LIMIT_BYTES), connected)
        self.full = False
        self.on_room: Callable[[], None] = lambda: None

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        super().pause_writing()
        self.full = True

    def resume_writing(self) -> None:
        """The transport's buffer has room again."""
        super().resume_writing()
        self.full = False
        self.on_room()


class FrameStream:
    """Reads and writes the frames of one connection.

    Attributes:
        frame_max: The largest frame either side may send, in bytes; the specification's minimum until it is agreed.
        received_at: When the peer was last heard, by the loop's clock, in seconds.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: StreamProtocol) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self.frame_max = constants.FRAME_MIN_SIZE
        self.received_at = self._loop.time()
        self._silent = False
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        writer.transport.set_write_buffer_limits(high=WRITE_LIMIT_BYTES)

    @property
    def writable(self) -> bool:
        """Whether the peer keeps up with what it is sent."""
        return not self._writer.is_closing() and not self._protocol.full

    def on_room(self, callback: Callable[[], None]) -> None:
        """Have `callback` called each time the peer has caught up."""
        self._protocol.on_room = callback

    async def read_protocol_header(self) -> None:
        """Read the client's first eight bytes.

        Raises:
            Disconnected: It is no AMQP 0-9-1 client; it has been told which protocol is spoken here.
        """
        if await self._read(8) != header.ProtocolHeader().marshal():
            self._writer.write(header.ProtocolHeader().marshal())
            raise Disconnected("The client does not speak AMQP 0-9-1.")

    async def read(self) -> tuple[int, Incoming]:
        """Read the next frame.

        Returns:
            The channel's number and the frame.

        Raises:
            HardError: The bytes are no frame that may be sent.
            Disconnected: The peer is gone.
        """
        start = await self._read(HEADER_BYTES)
        kind, channel, size = struct.unpack(">BHI", start)
        if kind not in FRAME_TYPES:
            raise HardError(ReplyCode.FRAME_ERROR, f"unknown frame type {kind}")
        limit = self.frame_max if kind == constants.FRAME_BODY else min(self.frame_max, FIELDS_MAX_BYTES)
        if size > limit - OVERHEAD_BYTES:
            raise HardError(ReplyCode.FRAME_ERROR, f"frame of {size} bytes is over the limit of {limit}")
        rest = await self._read(size + 1)
        if rest[-1] != constants.FRAME_END:
            raise HardError(ReplyCode.FRAME_ERROR, "frame without its end octet")
        return channel, _decode(kind, start + rest)

    def send(self, channel: int, method: Method) -> None:
        """Send a method."""
        self._write(frame.marshal(method, channel))

    def send_heartbeat(self) -> None:
        """Send a sign of life, unless there is so much under way that it would only queue behind it."""
        if self.writable:
            self._write(Heartbeat.marshal())

    def send_content(self, channel: int, method: Method, properties: commands.Basic.Properties, content: bytes) -> None:
        """Send a method with content, the body split by the agreed frame size."""
        step = self.frame_max - OVERHEAD_BYTES
        pieces = (content[start : start + step] for start in range(0, len(content), step))
        self._write(
            b"".join(
                (
                    frame.marshal(method, channel),
                    frame.marshal(ContentHeader(body_size=len(content), properties=properties), channel),
                    *(frame.marshal(body.ContentBody(piece), channel) for piece in pieces),
                )
            )
        )

    async def drain(self) -> None:
        """Wait until the peer has read enough.

        Raises:
            Disconnected: The peer is gone.
        """
        self._flush()
        try:
            await self._writer.drain()
        except OSError as error:
            raise Disconnected("The connection was lost.") from error

    async def discard_rest(self, *, until: bytes = b"") -> None:
        """Read and forget until the peer closes, or has just sent `until`.

        Closing with unread input would take our own last words back.
        """
        while data := await self._read_some():
            if until and data.endswith(until):
                return

    def go_silent(self) -> None:
        """Neither read nor send any more, without closing."""
        self._silent = True

    def abort(self) -> None:
        """Cut the connection."""
        # Python 3.11.2, as in Debian 12, raises it when the TLS connection has ended already.
        with suppress(AttributeError):
            self._writer.transport.abort()

    def abort_after(self, seconds: float) -> None:
        """Cut the connection unless it is closed by then."""
        if self._deadline is None:
            self._deadline = self._loop.call_later(seconds, self.abort)

    async def close(self, seconds: float) -> None:
        """Send what is still to be sent, for at most so many seconds, then close."""
        self.abort_after(seconds)
        self._flush()
        self._writer.close()
        with suppress(OSError):  # It is closed all the same.
            await self._writer.wait_closed()
        if self._deadline:
            self._deadline.cancel()

    async def _read(self, size: int) -> bytes:
        try:
            data = await self._reader.readexactly(size)
        except (EOFError, OSError) as error:
            raise Disconnected("The connection was lost.") from error
        if self._silent:
            await self.discard_rest()
            raise Disconnected("The connection was half open.")
        self.received_at = self._loop.time()
        return data

    async def _read_some(self) -> bytes:
        try:
            return await self._reader.read(READ_LIMIT_BYTES)
        except OSError:
            return b""

    def _write(self, data: bytes) -> None:
        """Send soon: together with what else this turn of the loop has to say, since each sending has its price."""
        if self._silent or self._writer.is_closing():
            return
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(data)
        self._unsent_bytes += len(data)
        if self._unsent_bytes > FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        data = b"".join(self._unsent)
        self._unsent.clear()
        self._unsent_bytes = 0
        if data and not self._writer.is_closing():
            self._writer.write(data)


def method_ids(method: Method) -> tuple[int, int]:
    """The class and method id, as a close names what it is about."""
    return method.index >> 16, method.index & 0xFFFF


def _decode(kind: int, data: bytes) -> Incoming:
    try:
        _, _, decoded = frame.unmarshal(data)
    except MALFORMED as error:
        if kind == constants.FRAME_METHOD and data[HEADER_BYTES : HEADER_BYTES + 4] not in KNOWN_METHODS:
            raise HardError(ReplyCode.NOT_IMPLEMENTED, "unknown method") from error
        raise HardError(ReplyCode.FRAME_ERROR, "the frame cannot be decoded") from error
    if isinstance(decoded, header.ProtocolHeader):
        raise HardError(ReplyCode.FRAME_ERROR, "protocol header inside a connection")
    return decoded


KNOWN_METHODS = frozenset(struct.pack(">I", index) for index in commands.INDEX_MAPPING)
