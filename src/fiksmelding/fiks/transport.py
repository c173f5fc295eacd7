"""HTTP with our limits, our errors and our retries; knows nothing of tokens."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential
from yarl import URL

from fiksmelding._version import __version__
from fiksmelding.clock import Clock
from fiksmelding.config import PlatformSettings
from fiksmelding.errors import PlatformError, PlatformUnavailable
from fiksmelding.fiks.answers import Answer, NotConnected, Refusal, TryLater, platform_error
from fiksmelding.tls import client_context

log = logging.getLogger(__name__)

Result = TypeVar("Result")

ANSWER_LIMIT = 1_048_576
ERROR_LIMIT = 65_536
LONGEST_WAIT = 60.0

_backoff = wait_random_exponential(multiplier=0.5, max=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to make.

    Attributes:
        method: The HTTP method.
        url: The whole address, without query.
        query: Query parameters.
        body: Makes the body anew for each attempt: a body is used up when sent.
        accept: The media types to ask for.
        answer_limit: The largest answer to accept, in bytes.
        refused: Which error an answer other than 2xx is.
        streamed: The answer is read piece by piece: the time limit counts for each piece, not for the whole.
    """

    method: str
    url: URL
    query: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[], aiohttp.FormData] | None = None
    accept: str = "application/json"
    answer_limit: int = ANSWER_LIMIT
    refused: Callable[[Refusal], PlatformError] = platform_error
    streamed: bool = False

    @property
    def path(self) -> str:
        """What errors and logs name: no host, no query."""
        return self.url.path


class Transport:
    """One aiohttp session for everything we ask over HTTP.

    Args:
        settings: Time limit, number of attempts, and the certificates to trust.
        clock: Where waits and times come from.
        trust_environment: Whether `HTTPS_PROXY` and `.netrc` count.
    """

    def __init__(self, settings: PlatformSettings, *, clock: Clock, trust_environment: bool = False) -> None:
        self._settings = settings
        self._clock = clock
        self._trust_environment = trust_environment
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        tls = await asyncio.to_thread(client_context, self._settings.ca_file)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"fiksmelding/{__version__}", "Accept-Encoding": "identity"},
            trust_env=self._trust_environment,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def once(self, call: Call, headers: Mapping[str, str]) -> Answer:
        """Make the call once and read the whole answer.

        Raises:
            PlatformError: As the answer says; `PlatformUnavailable` when there is none or it is too large.
        """
        async with self.open(call, headers) as response:
            body = await _read(response, call.answer_limit)
            if len(body) > call.answer_limit:
                raise PlatformUnavailable(
                    f"The answer to {call.method} {call.path} is larger than {call.answer_limit} bytes.",
                    status=response.status,
                    path=call.path,
                )
            return Answer(response.status, call.path, body)

    @asynccontextmanager
    async def open(self, call: Call, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make the call once and leave the answer's body unread.

        Raises:
            PlatformError: As for `once`; also while the body is read inside the context.
        """
        if self._session is None:
            raise PlatformError("The session is not open: use it in `async with`.", path=call.path)
        limit = self._settings.timeout_seconds
        started = self._clock.monotonic()
        try:
            async with self._session.request(
                call.method,
                call.url,
                params=call.query,
                data=call.body() if call.body else None,
                headers={"Accept": call.accept, **headers},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None if call.streamed else limit, sock_connect=limit, sock_read=limit
                ),
            ) as response:
                elapsed = 1000 * (self._clock.monotonic() - started)
                log.debug("%s %s: %d after %.0f ms", call.method, call.path, response.status, elapsed)
                if not 200 <= response.status < 300:
                    raise call.refused(await self._refusal(call, response))
                yield response
        except aiohttp.ClientResponseError as error:
            # Its repr shows the request's headers, secrets included: it must not be chained.
            raise _unreachable(call, error) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unreachable(call, error) from error

    async def repeat(self, attempt: Callable[[], Awaitable[Result]], *, repeatable: bool) -> Result:
        """Run `attempt`; again after network errors, 429 and 5xx, if a repeat is safe.

        Raises:
            PlatformError: The last attempt's.
        """
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._settings.attempts if repeatable else 1),
            wait=_pause,
            retry=retry_if_exception(_may_pass),
            before_sleep=_note,
            sleep=self._clock.sleep,
            reraise=True,
        )

        async def run() -> Result:
            return await attempt()

        return await retrying(run)

    async def _refusal(self, call: Call, response: aiohttp.ClientResponse) -> Refusal:
        body = await _read(response, ERROR_LIMIT)
        return Refusal(call.method, call.path, response.status, response.headers, body, self._clock.now())


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read the body, but no more than one byte past `limit`."""
    body = bytearray()
    while len(body) <= limit:
        piece = await response.content.read(limit + 1 - len(body))
        if not piece:
            break
        body += piece
    return bytes(body)


def _unreachable(call: Call, error: Exception) -> PlatformUnavailable:
    advice = ""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        advice = "Its TLS certificate does not chain to a trusted root: check platform.ca_file."
    what = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    connected = not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    kind = PlatformUnavailable if connected else NotConnected
    return kind(f"{call.method} {call.path} failed: {what}.", path=call.path, advice=advice)


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, TryLater) and error.retry_after > LONGEST_WAIT:
        return False
    return isinstance(error, PlatformUnavailable)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _pause(state: RetryCallState) -> float:
    error = _error(state)
    return error.retry_after if isinstance(error, TryLater) else _backoff(state)


def _note(state: RetryCallState) -> None:
    log.warning("attempt %d failed, trying again: %s", state.attempt_number, _error(state))
