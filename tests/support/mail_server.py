"""A real mail server (aiosmtpd) on a port of this machine, which can be told to be slow or to refuse."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER = "varsler"
PASSWORD = "et hemmelig passord"


@dataclass
class MailServer:
    """What came in, and how the server answers."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """What the server says to the next mails instead of taking them."""
    stuck: bool = False
    """Whether it never answers a mail."""
    no_such_recipient: str = ""
    attempts: int = 0
    _happened: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == self.no_such_recipient:
            self._happen()
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        if self.stuck:
            self._happen()
            await asyncio.Event().wait()
        if self.answers:
            self._happen()
            return self.answers.pop(0)
        message = email.message_from_bytes(cast("bytes", envelope.content), policy=email.policy.default)
        self.mails.append(message)
        self.senders.append(str(envelope.mail_from))
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        self._happen()
        return "250 taken"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append(data.login.decode())
        return AuthResult(success=data.login == USER.encode() and data.password == PASSWORD.encode(), handled=False)

    async def until_mails(self, count: int) -> None:
        """Wait until so many mails were taken."""
        async with asyncio.timeout(20):
            while len(self.mails) < count:
                await self._something()

    async def until_attempts(self, count: int) -> None:
        """Wait until a client has tried so often, with or without success."""
        async with asyncio.timeout(20):
            while self.attempts < count:
                await self._something()

    async def _something(self) -> None:
        self._happened.clear()
        await self._happened.wait()

    def _happen(self) -> None:
        self.attempts += 1
        self._happened.set()


@asynccontextmanager
async def serving(
    server: MailServer, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[MailServer]:
    """The server, for the length of the block; on the port it had before, if it had one."""

    def connection() -> SMTP:
        return SMTP(
            server,
            hostname="mail.example",
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_require_tls=starttls is not None,
            authenticator=server.authenticate,
            loop=asyncio.get_running_loop(),
        )

    listening = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", server.port, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        listening.close_clients() if hasattr(listening, "close_clients") else None
