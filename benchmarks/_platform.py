"""A platform that costs next to nothing, in a process of its own: it hands out one token and takes every answer.

The same for every receiver that is measured beside another. It notes when it took the answer to which message.
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from uuid import uuid4

from aiohttp import web

TOKEN = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in ({"alg": "HS256"}, {"exp": 4_102_444_800, "scope": "ks:fiks"}, "no signature")
)
"""KS's client reads when it ends, in the year 2100; nobody checks it."""
TEXTS = re.compile(rb'"(svarPaMelding|meldingType|avsenderKontoId|mottakerKontoId)" ?: ?"([^"]+)"')

Taken = dict[str, tuple[float, str]]
"""When the answer to each message was taken, in seconds on the machine's monotonic clock, and its type."""


class Platform:
    """The platform's process.

    Args:
        url: Base of its API.
        pipe: How it is asked.
    """

    def __init__(self, url: str, pipe: Connection) -> None:
        self.url = url
        self._pipe = pipe

    def taken(self) -> Taken:
        """The first answer to each message so far."""
        self._pipe.send("taken")
        answer: Taken = self._pipe.recv()
        return answer

    def count(self) -> int:
        """How many messages have been answered."""
        self._pipe.send("count")
        answer: int = self._pipe.recv()
        return answer

    def forget(self) -> None:
        """Begin anew."""
        self._pipe.send("forget")
        self._pipe.recv()


@contextmanager
def platform(port: int = 0) -> Iterator[Platform]:
    """A running platform; on `port` RabbitMQ asks it who may log in and read, and everybody may."""
    context = get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=_run, args=(its, port), daemon=True)
    process.start()
    its.close()
    try:
        yield Platform(ours.recv(), ours)
    finally:
        process.terminate()
        process.join()


def _run(pipe: Connection, port: int) -> None:
    asyncio.run(_serve(pipe, port))


async def _serve(pipe: Connection, port: int) -> None:
    taken: Taken = {}

    async def token(_: web.Request) -> web.Response:
        return web.json_response({"access_token": TOKEN, "expires_in": 7200, "token_type": "Bearer"})

    async def send(request: web.Request) -> web.Response:
        body = await request.read()
        said = {name.decode(): text.decode() for name, text in TEXTS.findall(body)}
        if "svarPaMelding" not in said:
            raise web.HTTPBadRequest(text="not an answer to a message")
        taken.setdefault(said["svarPaMelding"], (time.monotonic(), said["meldingType"]))
        return web.json_response({**said, "meldingId": str(uuid4()), "ttl": 86_400_000, "headere": {}})

    async def allow(_: web.Request) -> web.Response:
        return web.Response(text="allow")

    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_post("/token", token)
    app.router.add_post("/fiks-io/api/v1/send", send)
    app.router.add_post("/{of_rabbitmq:.*}", allow)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, port = runner.addresses[0][:2]
    pipe.send(f"http://{host}:{port}")
    orphaned, loop = asyncio.Event(), asyncio.get_running_loop()

    def answer() -> None:
        try:
            _answer(pipe, taken)
        except (EOFError, OSError):
            loop.remove_reader(pipe.fileno())
            orphaned.set()

    loop.add_reader(pipe.fileno(), answer)
    await orphaned.wait()


def _answer(pipe: Connection, taken: Taken) -> None:
    match pipe.recv():
        case "taken":
            pipe.send(taken)
        case "count":
            pipe.send(len(taken))
        case _:
            taken.clear()
            pipe.send(None)
