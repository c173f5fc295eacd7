"""A small platform for tests: answers as scripted, remembers what it was asked, and issues real-looking tokens."""

import asyncio
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestServer

from fiksmelding.config import Settings
from fiksmelding.simulator.pki import Credential

ACCOUNT = UUID("9d2f9b1e-6f0c-4d53-8f0a-0d9d8f5f6f01")
INTEGRATION = UUID("7c5b3a52-6e6e-4c5e-9d0e-3f6f4f0b8f11")
PASSWORD = "integration password+/%@"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    """A request the platform got."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Platform:
    """What the test scripts, and what the platform saw."""

    url: str = ""
    answers: deque[Handler] = field(default_factory=deque)
    token_answers: deque[Handler] = field(default_factory=deque)
    seen: list[Seen] = field(default_factory=list)
    assertions: list[str] = field(default_factory=list)
    token_seconds: float = 120
    tokens_asked: asyncio.Event = field(default_factory=asyncio.Event)
    tokens_held: asyncio.Event | None = None

    def hold_tokens(self) -> asyncio.Event:
        """Answer no request for a token until the event returned is set."""
        self.tokens_held = asyncio.Event()
        return self.tokens_held

    def then(self, *handlers: Handler) -> None:
        """Answer the next API calls so, in this order."""
        self.answers.extend(handlers)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(
            Seen(request.method, request.path, dict(request.query), request.headers.copy(), await request.read())
        )
        return await self.answers.popleft()(request)

    async def serve_token(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.assertions.append(str(form["assertion"]))
        number = len(self.assertions)
        self.tokens_asked.set()
        if self.tokens_held is not None:
            await self.tokens_held.wait()
        if self.token_answers:
            return await self.token_answers.popleft()(request)
        return web.json_response(
            {
                "access_token": f"secret-token-{number}",
                "token_type": "Bearer",
                "expires_in": self.token_seconds,
                "scope": "ks:fiks",
            }
        )


@asynccontextmanager
async def running_platform(tls: ssl.SSLContext | None = None) -> AsyncIterator[Platform]:
    """A platform on a free port of this machine."""
    platform = Platform()
    application = web.Application(client_max_size=50_000_000)
    application.router.add_post("/token", platform.serve_token)
    application.router.add_route("*", "/{path:.*}", platform.serve)
    server = TestServer(application, scheme="https" if tls else "http")
    await server.start_server(ssl=tls)
    async with server:
        platform.url = str(server.make_url("/")).rstrip("/")
        yield platform


def answer(
    status: int = 200, content: object = None, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Handler:
    """A handler that answers with JSON, or with these very bytes."""

    async def handler(request: web.Request) -> web.StreamResponse:
        payload = json.dumps(content).encode() if body is None else body
        return web.Response(status=status, body=payload, headers=headers, content_type="application/json")

    return handler


def error(status: int, message: str = "Kari Nordmann, 01010112345", **members: object) -> Handler:
    """The platform's error JSON; its message holds personal data, which must not come through."""
    content = {"timestamp": 1, "status": status, "error": "E", "path": "/x", "message": message, **members}
    return answer(status, {"errorId": "abc-123", **content})


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Cut the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def settings_for(url: str, folder: Path, credential: Credential, **platform: object) -> Settings:
    """Settings for a platform at `url`, with key files in `folder`."""
    (folder / "key.pem").write_bytes(credential.key_pem)
    (folder / "certificate.pem").write_bytes(credential.certificate_pem)
    return Settings.of(
        {
            "account": {"id": str(ACCOUNT), "private_keys": ["key.pem"]},
            "integration": {"id": str(INTEGRATION), "password": PASSWORD},
            "maskinporten": {
                "issuer": f"{url}/",
                "client_id": "our-client",
                "private_key": "key.pem",
                "certificate": "certificate.pem",
            },
            "platform": {"api_url": url, "timeout_seconds": 5, **platform},
        },
        folder=folder,
        environment={},
    )
