"""The pages that monitoring asks: `/metrics`, `/healthz`, `/readyz`."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from fiksmelding._version import __version__

log = logging.getLogger("fiksmelding.monitoring")

Look = Callable[[], Awaitable[None]]
"""Brings the metrics up to date."""
Unready = Callable[[], Awaitable[Sequence[str]]]
"""Why we are not ready, in sentences; nothing when we are."""


@asynccontextmanager
async def served(
    address: tuple[str, int], registry: CollectorRegistry, *, look: Look, unready: Unready
) -> AsyncIterator[None]:
    """Serve the pages for the length of the block.

    An address that cannot be had is told loudly, and no more: no report may wait because nobody can watch it.

    Args:
        address: Host and port.
        registry: The metrics.
        look: Called before they are told.
        unready: Why we are not ready.
    """
    runner = web.AppRunner(
        _application(registry, look, unready), access_log=None, handle_signals=False, shutdown_timeout=1.0
    )
    await runner.setup()
    try:
        await _listen(runner, address)
        yield
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: tuple[str, int]) -> None:
    host, port = address
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        log.critical(
            "Metrics and health cannot be served on %s:%d: %s. Reports are worked on all the same",
            host,
            port,
            error.strerror,
            extra={"event": "monitoring_down"},
        )


def _application(registry: CollectorRegistry, look: Look, unready: Unready) -> web.Application:
    async def metrics(_request: web.Request) -> web.Response:
        await look()
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True, "version": __version__})

    async def ready(_request: web.Request) -> web.Response:
        reasons = list(await unready())
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    application = web.Application()
    application.add_routes(
        [web.get("/metrics", metrics), web.get("/healthz", alive), web.get("/readyz", ready)],
    )
    return application
