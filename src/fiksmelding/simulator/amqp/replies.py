"""What the server answers when something is wrong (AMQP 0-9-1 specification, section 1.2, "Constants").

A soft error costs the channel, a hard error the connection.
"""

from enum import IntEnum

from fiksmelding.errors import FiksmeldingError

__all__ = ["AccessDenied", "Disconnected", "HardError", "ReplyCode", "SoftError"]

MAX_TEXT_BYTES = 255


class ReplyCode(IntEnum):
    """The codes of AMQP 0-9-1 that this server uses."""

    CONNECTION_FORCED = 320
    ACCESS_REFUSED = 403
    NOT_FOUND = 404
    RESOURCE_LOCKED = 405
    PRECONDITION_FAILED = 406
    FRAME_ERROR = 501
    SYNTAX_ERROR = 502
    COMMAND_INVALID = 503
    CHANNEL_ERROR = 504
    UNEXPECTED_FRAME = 505
    NOT_ALLOWED = 530
    NOT_IMPLEMENTED = 540
    INTERNAL_ERROR = 541


class AccessDenied(FiksmeldingError):
    """Raised by `authenticate` to refuse a login. Its text is sent to the client."""


class _AmqpError(FiksmeldingError):
    """A client broke a rule.

    Attributes:
        code: The reply code sent to it.
    """

    def __init__(self, code: ReplyCode, text: str) -> None:
        self.code = code
        super().__init__(f"{code.name} - {text}")

    @property
    def reply_text(self) -> str:
        """The text as a short string can carry it: at most 255 bytes of UTF-8."""
        return str(self).encode(errors="replace")[:MAX_TEXT_BYTES].decode(errors="ignore")


class SoftError(_AmqpError):
    """Closes the channel it happened on."""


class HardError(_AmqpError):
    """Closes the connection."""


class Disconnected(FiksmeldingError):
    """The other end is gone, or is to be dropped without a word."""
