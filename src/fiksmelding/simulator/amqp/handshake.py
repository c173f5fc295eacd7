"""From the first byte to an open connection (AMQP 0-9-1, section 2.2.4, with RabbitMQ's extensions)."""

import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pamqp import commands, common, decode

from fiksmelding._version import __version__
from fiksmelding.simulator.amqp.replies import AccessDenied, Disconnected, HardError, ReplyCode
from fiksmelding.simulator.amqp.stream import FrameStream, Method

__all__ = ["Authenticate", "Login", "Session", "shake_hands"]

CHANNEL_MAX = 2047
FRAME_MAX_BYTES = 131_072
FRAME_MIN_BYTES = 4096
HEARTBEAT_SECONDS = 60

CAPABILITIES = {
    "authentication_failure_close": True,
    "basic.nack": True,
    "connection.blocked": True,
    "consumer_cancel_notify": True,
    "per_consumer_qos": True,
    "publisher_confirms": True,  # Nobody publishes here, but aio-pika opens no channel without.
}


class Login(Protocol):
    """Someone who has logged in."""

    def may_read(self, queue: str) -> bool:
        """Whether this one may consume from `queue`."""
        ...


Authenticate = Callable[[str, str], Awaitable[Login]]
M = TypeVar("M", bound=Method)


@dataclass(frozen=True)
class Session:
    """What client and server agreed on.

    Attributes:
        user: The user name.
        login: What the user may do.
        channel_max: The highest channel number.
        heartbeat: Seconds between signs of life; 0 for none.
        capabilities: What the client says it can.
    """

    user: str
    login: Login
    channel_max: int
    heartbeat: int
    capabilities: frozenset[str]


async def shake_hands(stream: FrameStream, authenticate: Authenticate) -> Session:
    """Take a new connection through protocol header, start, tune and open.

    Raises:
        HardError: The client broke a rule or was refused.
        Disconnected: The client is gone, or is to be dropped without a word.
    """
    await stream.read_protocol_header()
    capabilities: common.FieldTable = dict(CAPABILITIES)
    properties: common.FieldTable = {
        "product": "fiksmelding simulator",
        "version": __version__,
        "capabilities": capabilities,
    }
    stream.send(0, commands.Connection.Start(0, 9, properties, "PLAIN AMQPLAIN", "en_US"))
    start_ok = await _expect(stream, commands.Connection.StartOk)
    able = _capabilities(start_ok.client_properties)
    user, password = _credentials(start_ok)
    try:
        login = await authenticate(user, password)
    except AccessDenied as error:
        if "authentication_failure_close" in able:
            raise HardError(ReplyCode.ACCESS_REFUSED, str(error)) from error
        raise Disconnected("A login was refused.") from error

    stream.send(0, commands.Connection.Tune(CHANNEL_MAX, FRAME_MAX_BYTES, HEARTBEAT_SECONDS))
    tune_ok = await _expect(stream, commands.Connection.TuneOk)
    _check_limit("channel_max", tune_ok.channel_max, 1, CHANNEL_MAX)
    _check_limit("frame_max", tune_ok.frame_max, FRAME_MIN_BYTES, FRAME_MAX_BYTES)
    stream.frame_max = tune_ok.frame_max

    opened = await _expect(stream, commands.Connection.Open)
    if opened.virtual_host not in ("/", ""):
        raise HardError(ReplyCode.NOT_ALLOWED, f"vhost {opened.virtual_host} not found")
    stream.send(0, commands.Connection.OpenOk())
    return Session(user, login, tune_ok.channel_max, tune_ok.heartbeat, able)


async def _expect(stream: FrameStream, kind: type[M]) -> M:
    channel, frame = await stream.read()
    if channel == 0 and isinstance(frame, kind):
        return frame
    if isinstance(frame, commands.Connection.Close):
        stream.send(0, commands.Connection.CloseOk())
        raise Disconnected("The client closed while connecting.")
    raise HardError(ReplyCode.COMMAND_INVALID, f"expected {kind.name}, not {frame.name}")


def _capabilities(properties: object) -> frozenset[str]:
    named = properties.get("capabilities") if isinstance(properties, Mapping) else None
    return frozenset(name for name, has in named.items() if has is True) if isinstance(named, Mapping) else frozenset()


def _credentials(start_ok: commands.Connection.StartOk) -> tuple[str, str]:
    response: str | bytes = start_ok.response
    raw = response.encode() if isinstance(response, str) else response
    try:
        if start_ok.mechanism == "PLAIN":
            _, user, password = raw.split(b"\0")
            return user.decode(), password.decode()
        if start_ok.mechanism == "AMQPLAIN":
            _, table = decode.field_table(struct.pack(">I", len(raw)) + raw)
            return _text(table["LOGIN"]), _text(table["PASSWORD"])
    except (LookupError, RecursionError, TypeError, ValueError):
        # No cause is chained: it would quote the password.
        raise HardError(ReplyCode.SYNTAX_ERROR, "the login response cannot be read") from None
    raise HardError(ReplyCode.COMMAND_INVALID, f"unknown authentication mechanism {start_ok.mechanism}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _check_limit(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise HardError(ReplyCode.NOT_ALLOWED, f"negotiated {name} = {value} is not from {lowest} to {highest}")
