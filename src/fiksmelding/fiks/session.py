"""Calls to the Fiks API, each with a valid token and the integration's credential (contract section 3)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

import aiohttp
from pydantic import SecretStr
from yarl import URL

from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import Settings
from fiksmelding.errors import PlatformError, SettingsError
from fiksmelding.fiks.answers import Answer, TokenRefused
from fiksmelding.fiks.maskinporten import Maskinporten, token_url
from fiksmelding.fiks.transport import ANSWER_LIMIT, Call, Transport

Result = TypeVar("Result")


class FiksSession:
    """The platform over HTTP: one connection pool for the API and the token endpoint.

    Use it in `async with`; safe to use from many tasks at once.

    Args:
        settings: Platform, integration, account and Maskinporten client.
        clock: Where times and waits come from.
        trust_environment: Whether `HTTPS_PROXY` and `.netrc` count.

    Raises:
        SettingsError: On entering: an address, a key or the password cannot be used.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None, trust_environment: bool = False) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._transport = Transport(settings.platform, clock=self._clock, trust_environment=trust_environment)
        self._maskinporten = Maskinporten(settings.maskinporten, self._transport, clock=self._clock)
        self._password = SecretStr("")
        self._open = AsyncExitStack()
        self._entered = False

    @property
    def account_id(self) -> UUID:
        """The Fiks IO account (konto) we act for."""
        return self._settings.account.id

    @property
    def organisation_id(self) -> UUID | None:
        """Our Fiks organisation, when the settings name it."""
        return self._settings.account.organisation_id

    @property
    def clock(self) -> Clock:
        """Where times come from."""
        return self._clock

    async def __aenter__(self) -> Self:
        if self._entered:
            raise PlatformError("A session is opened once: make another.")
        _check_address(self._settings.platform.api_url, "platform.api_url")
        _check_address(str(token_url(self._settings.maskinporten)), "maskinporten.token_url")
        self._password = await asyncio.to_thread(_header_safe_password, self._settings)
        async with AsyncExitStack() as opening:
            await opening.enter_async_context(self._transport)
            await opening.enter_async_context(self._maskinporten)
            self._open = opening.pop_all()
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. Closing twice is fine."""
        await self._open.aclose()

    async def access_token(self, *, max_age: float | None = None) -> SecretStr:
        """A valid access token, from the cache or fresh.

        Args:
            max_age: Fetch anew when the cached token was fetched more than this many seconds ago. The broker checks
                the token when connecting, so a token it refused must not be offered for long.

        Raises:
            AccessRefused: Maskinporten refuses client, key or scope.
            PlatformUnavailable: It gave no usable answer.
        """
        return await self._maskinporten.token(max_age=max_age)

    async def request(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        query: Mapping[str, str] | None = None,
        body: Callable[[], aiohttp.FormData] | None = None,
        authenticated: bool = True,
        answer_limit: int = ANSWER_LIMIT,
        streamed: bool = False,
    ) -> Answer:
        """Make a call and read its answer.

        Args:
            method: The HTTP method.
            path: The path below `platform.api_url`, beginning with a slash.
            repeatable: Whether making the call twice does no harm. Only then is it tried again after a network error,
                429 or 5xx.
            query: Query parameters.
            body: Makes the body; called for each attempt.
            authenticated: Whether to send token and integration.
            answer_limit: The largest answer to accept, in bytes.
            streamed: Whether the body may be large: the time limit counts for each wait, not for the whole.

        Raises:
            PlatformUnavailable: No usable answer, 429 or 5xx.
            AccessRefused: 401 or 403.
            NotFound: 404.
            RequestRefused: Another 4xx, or a redirection.
        """
        call = Call(
            method=method,
            url=self._url(path),
            query=query or {},
            body=body,
            answer_limit=answer_limit,
            streamed=streamed,
        )

        async def attempt() -> Answer:
            return await self._with_headers(lambda headers: self._transport.once(call, headers), authenticated)

        return await self._transport.repeat(attempt, repeatable=repeatable)

    @asynccontextmanager
    async def stream(
        self, path: str, *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """GET an answer to be read piece by piece; opening it is tried again like any repeatable call.

        Args:
            path: The path below `platform.api_url`, beginning with a slash.
            headers: Further headers of the request, such as `Range`.

        Raises:
            PlatformError: As for `request`; `PlatformUnavailable` also when it breaks off while being read.
        """
        call = Call(method="GET", url=self._url(path), accept="*/*", streamed=True)
        async with AsyncExitStack() as opened:

            async def attempt() -> aiohttp.ClientResponse:
                return await self._with_headers(
                    lambda own: opened.enter_async_context(self._transport.open(call, {**own, **(headers or {})})),
                    True,
                )

            yield await self._transport.repeat(attempt, repeatable=True)

    async def _with_headers(
        self, make: Callable[[Mapping[str, str]], Awaitable[Result]], authenticated: bool
    ) -> Result:
        if not authenticated:
            return await make({})
        token = await self._maskinporten.token()
        try:
            return await make(self._headers(token))
        except TokenRefused:
            # A token may be withdrawn before its time. Refused means not done, so once more is safe for any call.
            self._maskinporten.drop(token)
        return await make(self._headers(await self._maskinporten.token()))

    def _headers(self, token: SecretStr) -> Mapping[str, str]:
        return {
            "Authorization": f"Bearer {token.get_secret_value()}",
            "IntegrasjonId": str(self._settings.integration.id),
            "IntegrasjonPassord": self._password.get_secret_value(),
        }

    def _url(self, path: str) -> URL:
        return URL(self._settings.platform.api_url.rstrip("/") + path)


def _check_address(text: str, name: str) -> None:
    try:
        url = URL(text)
        good = url.scheme in {"http", "https"} and bool(url.host)
    except ValueError:
        good = False
    if not good:
        raise SettingsError(f"{name} is not an http or https address.")


def _header_safe_password(settings: Settings) -> SecretStr:
    password = settings.integration.secret()
    if any(ord(character) < 32 or ord(character) == 127 for character in password.get_secret_value()):
        raise SettingsError("The integration's password holds a control character, which no HTTP header can carry.")
    return password
