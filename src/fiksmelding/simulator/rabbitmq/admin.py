"""RabbitMQ's management API: what AMQP itself does not tell or do."""

import base64
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, TypeAdapter, ValidationError
from yarl import URL

from fiksmelding.errors import BrokerUnavailable

__all__ = ["Admin"]

TIMEOUT = aiohttp.ClientTimeout(total=20)
FIRST_ERROR = 400
NOT_FOUND = 404
Found = TypeVar("Found")


class _Queue(BaseModel):
    messages_unacknowledged: int = 0


class Admin:
    """Calls the management API as an administrator. Use it with `async with`.

    Args:
        url: Its base, credentials included.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        login = base64.b64encode(f"{self._url.user}:{self._url.password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"}
        self._http = aiohttp.ClientSession(self._url.origin(), headers=headers, timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def held(self, queue: str) -> int:
        """How many messages of a queue are in consumers' hands. RabbitMQ counts every few seconds.

        Raises:
            BrokerUnavailable: It does not answer, or refuses.
        """
        answer = await self._call("GET", f"/api/queues/%2F/{quote(queue, safe='')}")
        return _read(TypeAdapter(_Queue), answer).messages_unacknowledged if answer else 0

    async def close_connections(self, user: str) -> None:
        """Close every connection of a user.

        Raises:
            BrokerUnavailable: It does not answer, or refuses.
        """
        await self._call("DELETE", f"/api/connections/username/{quote(user, safe='')}")

    async def check(self) -> None:
        """Make sure that it answers and lets us in.

        Raises:
            BrokerUnavailable: It does not.
        """
        await self._call("GET", "/api/overview")

    async def _call(self, method: str, path: str) -> bytes:
        if self._http is None:
            raise BrokerUnavailable("The management API is not open.")
        try:
            async with self._http.request(method, URL(path, encoded=True)) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BrokerUnavailable(
                f"RabbitMQ's management API does not answer ({type(error).__name__}).",
                advice="Enable the plugin rabbitmq_management, and check the second address.",
            ) from None
        if response.status == NOT_FOUND:
            return b""
        if response.status >= FIRST_ERROR:
            raise BrokerUnavailable(
                f"RabbitMQ's management API answers {response.status}.",
                advice="Its user needs the tag administrator.",
            )
        return answer


def _read(kind: TypeAdapter[Found], answer: bytes) -> Found:
    try:
        return kind.validate_json(answer)
    except ValidationError:
        raise BrokerUnavailable("RabbitMQ's management API answers otherwise than it should.") from None
