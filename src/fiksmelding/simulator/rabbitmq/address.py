"""Where a RabbitMQ is, and as whom the simulator logs in there."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from yarl import URL

from fiksmelding.errors import SettingsError

__all__ = ["RabbitAddress"]

AMQPS_PORT = 5671
EXAMPLES = "amqps://administrator:password@localhost:5671 and http://administrator:password@localhost:15672"


@dataclass(frozen=True, slots=True)
class RabbitAddress:
    """A RabbitMQ node or cluster.

    Clients connect where the simulator does, over TLS, and to the virtual host `/` as on the real platform.

    Attributes:
        host: Its host name or address.
        port: Its AMQPS port.
        user: An administrator's name.
        password: Its password.
        admin: Base of the management API, credentials included.
        ca_file: The PEM file that its certificate chains to; None when the simulator's own authority issued it.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    admin: URL = field(repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, amqp_url: str | None, amqp_admin: str | None) -> Self | None:
        """The RabbitMQ wished for; None when none is.

        Raises:
            SettingsError: One of the two is missing, or cannot be used.
        """
        if amqp_url is None and amqp_admin is None:
            return None
        if amqp_url is None or amqp_admin is None:
            raise _mistake("both are needed, and one is missing")
        return cls.parse(amqp_url, amqp_admin)

    @classmethod
    def parse(cls, amqp_url: str, amqp_admin: str) -> Self:
        """Read the two URLs.

        Args:
            amqp_url: `amqps://user:password@host:port`, with `?cafile=roots.pem` when its certificate is another's.
            amqp_admin: `http://user:password@host:port`, or https.

        Raises:
            SettingsError: One of them is not such a URL. The text does not quote them.
        """
        try:
            amqp, admin = URL(amqp_url), URL(amqp_admin)
        except ValueError:
            raise _mistake("one of them is no URL") from None
        if amqp.scheme != "amqps" or amqp.host is None:
            raise _mistake("the first must begin with amqps://, for clients use it too and insist on TLS")
        if amqp.path not in ("", "/"):
            raise _mistake("the first may name no virtual host: the platform's clients know only /")
        if admin.scheme not in ("http", "https") or admin.host is None:
            raise _mistake("the second must be the http:// or https:// address of the management API")
        if not (amqp.user and amqp.password and admin.user and admin.password):
            raise _mistake("both need an administrator's name and password")
        ca_file = amqp.query.get("cafile")
        return cls(
            host=amqp.host,
            port=amqp.port or AMQPS_PORT,
            user=amqp.user,
            password=amqp.password,
            admin=admin,
            ca_file=Path(ca_file) if ca_file else None,
        )


def _mistake(what: str) -> SettingsError:
    return SettingsError(f"The addresses of RabbitMQ cannot be used: {what}.", advice=f"As in {EXAMPLES}.")
