"""Calls to somebody else's URL: to whom they may go, and how the other side knows that they are ours."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from pydantic import SecretStr
from yarl import URL

from fiksmelding.clock import Clock, SystemClock
from fiksmelding.errors import FiksmeldingError, SettingsError
from fiksmelding.tls import client_context, is_this_machine

LARGEST_ANSWER = 65_536
"""How much of an answer is read, in bytes."""
LEAST_SECRET = 16
PIECE = 65_536


class WebhookFailed(FiksmeldingError):
    """The webhook gave no answer that decides; the call may be made again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said.

    Attributes:
        status: The HTTP status.
        headers: Its headers; names are found in any case.
        body: The beginning of its body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Webhook:
    """Calls one URL, signed when there is a secret. See docs/webhook.md for the signature.

    Args:
        url: Where to: `https`, or `http` on this machine.
        name: The setting that the URL came from, without its `url`, for errors: `webhook` or `alarms.webhook`.
        secret: What calls are signed with; None for calls that are not.
        ca_file: Certificates (PEM) that its TLS certificate must chain to; the system's when None.
        timeout_seconds: Time limit of one call, in seconds.
        clock: Where the time in the signature is read.

    Raises:
        SettingsError: The URL is not HTTPS (other than to this machine), or the secret is too short.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        secret: SecretStr | None,
        ca_file: Path | None,
        timeout_seconds: float,
        clock: Clock | None = None,
    ) -> None:
        self.url = _safe_url(url, name)
        self._secret = None if secret is None else secret.get_secret_value().encode()
        if self._secret is not None and len(self._secret) < LEAST_SECRET:
            raise SettingsError(f"The secret of {name} must have {LEAST_SECRET} bytes at least.")
        self._ca_file = ca_file
        self._timeout_seconds = timeout_seconds
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Make ready to connect.

        Raises:
            SettingsError: `ca_file` cannot be used.
        """
        secure = client_context(self._ca_file) if self.url.scheme == "https" else True
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=secure),
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._session = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = None
        await self._stack.aclose()

    async def call(
        self,
        method: str,
        url: URL | None = None,
        *,
        key: str,
        body: Sequence[bytes] = (),
        signed: Sequence[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one call.

        Args:
            method: The HTTP method.
            url: Where to, when not to the URL itself.
            key: Names what the call is about, the same on every repetition of it (`Idempotency-Key`).
            body: What is sent, in pieces; nothing when empty.
            signed: What the signature covers, when it is not the body.
            headers: More headers.

        Raises:
            WebhookFailed: There was no answer.
        """
        if self._session is None:
            raise FiksmeldingError("The webhook is not open.", advice="Use it inside `async with`.")
        whole = {"Idempotency-Key": key, **self._signature(body if signed is None else signed), **(headers or {})}
        if body:
            whole["Content-Length"] = str(sum(map(len, body)))
        try:
            async with self._session.request(
                method, url or self.url, headers=whole, data=_pieces(body) if body else None, allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers, await _beginning(response.content))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise WebhookFailed(f"The webhook gave no answer: {error.__class__.__name__}.") from error

    def _signature(self, body: Sequence[bytes]) -> dict[str, str]:
        """The headers that say when and by whom it was sent, so that a copy of it is of no use to anyone."""
        if self._secret is None:
            return {}
        timestamp = str(int(self._clock.now().timestamp()))
        mac = hmac.new(self._secret, f"{timestamp}.".encode(), hashlib.sha256)
        for piece in body:
            mac.update(piece)
        return {"Fiksmelding-Timestamp": timestamp, "Fiksmelding-Signature": f"v1={mac.hexdigest()}"}


def _safe_url(url: str, name: str) -> URL:
    parsed = URL(url)
    if parsed.scheme == "https" and parsed.host:
        return parsed
    if parsed.scheme == "http" and parsed.host and is_this_machine(parsed.host):
        return parsed
    setting = f"{name}_url" if "." in name else f"{name}.url"
    raise SettingsError(f"{setting} must be https; only a webhook on this machine may go without.")


async def _pieces(body: Sequence[bytes]) -> AsyncIterator[memoryview]:
    for part in body:
        whole = memoryview(part)
        for start in range(0, len(whole), PIECE):
            yield whole[start : start + PIECE]


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """What an answer says, as far as anybody could want to know."""
    answer = bytearray()
    async for piece in content.iter_any():
        answer += piece
        if len(answer) >= LARGEST_ANSWER:
            break
    return bytes(answer[:LARGEST_ANSWER])
