"""An HTTP server on one socket."""

import logging
import socket
from collections.abc import Iterable, Sequence
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Middleware

from fiksmelding.simulator.http.errors import answer_errors

__all__ = ["HttpServer", "reserve_port"]

log = logging.getLogger(__name__)

STOP_SECONDS = 1.0
LARGEST_WHOLE_BODY = 8 * 1024 * 1024


def reserve_port(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port` (0 for any free one).

    Raises:
        OSError: The address is in use, or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


class _Discreet(logging.LoggerAdapter[logging.Logger]):
    """What aiohttp tells of requests that are malformed or broken off, in a low voice.

    Without its tracebacks: they quote the request, and with it tokens and passwords. Mistakes of our own are told by
    `answer_errors`.
    """

    def log(self, level: int, msg: object, *args: object, **_: object) -> None:
        super().log(min(level, logging.INFO), msg, *args)


class HttpServer:
    """Serves routes while the `async with` lasts.

    Args:
        listening: The socket; closed at the end.
        routes: What is served.
        middlewares: What stands around every route, outermost first.
    """

    def __init__(
        self, listening: socket.socket, routes: Iterable[web.RouteDef], *, middlewares: Sequence[Middleware] = ()
    ) -> None:
        self._listening = listening
        self._routes = tuple(routes)
        self._middlewares = tuple(middlewares)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[answer_errors, *self._middlewares], client_max_size=LARGEST_WHOLE_BODY)
        app.add_routes(self._routes)
        # No access log: the handlers log what may be logged.
        runner = web.AppRunner(app, access_log=None, logger=_Discreet(log), shutdown_timeout=STOP_SECONDS)
        await runner.setup()
        self._runner = runner
        await web.SockSite(runner, self._listening).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._listening.close()
