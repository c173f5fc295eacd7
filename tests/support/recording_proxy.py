"""A proxy that remembers what passes on its way to the platform."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from support.platform import Seen

HOP_BY_HOP = frozenset({"host", "connection", "transfer-encoding", "content-length", "content-encoding", "upgrade"})


@dataclass
class Recording:
    """What passed.

    Attributes:
        url: Where the proxy is reached.
        seen: The requests, in order.
    """

    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    def submission(self) -> Seen:
        """The one report that was handed in since the last time."""
        [found] = [
            seen for seen in self.seen if seen.method == "POST" and seen.path.endswith(("/privat", "/offentlig"))
        ]
        self.seen.clear()
        return found


@asynccontextmanager
async def recording_proxy(target: str) -> AsyncIterator[Recording]:
    """A proxy in front of the API at `target`."""
    recording = Recording()
    async with aiohttp.ClientSession(target, auto_decompress=False) as out:

        async def forward(request: web.Request) -> web.Response:
            body = await request.read()
            recording.seen.append(Seen(request.method, request.path, dict(request.query), request.headers.copy(), body))
            headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
            async with out.request(request.method, request.path_qs, data=body, headers=headers) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)

        application = web.Application(client_max_size=50_000_000)
        application.router.add_route("*", "/{path:.*}", forward)
        server = TestServer(application)
        await server.start_server()
        async with server:
            recording.url = str(server.make_url("/")).rstrip("/")
            yield recording
