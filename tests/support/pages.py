"""What a receiver or sender shows to the systems that watch it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from fiksmelding.config import MetricsSettings, Settings
from support.rabbitmq import free_port

Samples = dict[tuple[str, ...], float]


@dataclass
class Pages:
    """What a receiver shows."""

    base: str
    session: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[int, dict[str, object]]:
        async with self.session.get(self.base + path) as response:
            return response.status, await response.json()

    async def text(self) -> str:
        async with self.session.get(f"{self.base}/metrics") as response:
            assert response.status == 200
            assert response.headers["Content-Type"].startswith("text/plain; version=")
            return await response.text()

    async def samples(self) -> Samples:
        families = text_string_to_metric_families(await self.text())
        return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}

    async def until_sample(self, *sample: str) -> Samples:
        """Wait until a sample is there and not zero."""
        async with asyncio.timeout(20):
            while True:
                found = await self.samples()
                if found.get(sample):
                    return found
                await asyncio.sleep(0)

    async def until_status(self, path: str, status: int) -> dict[str, object]:
        """Wait until a page is there and answers so."""
        async with asyncio.timeout(20):
            while True:
                with suppress(aiohttp.ClientConnectionError):  # it is not there yet
                    found, content = await self.get(path)
                    if found == status:
                        return content
                await asyncio.sleep(0)


def watched(settings: Settings) -> Settings:
    """The settings, with a port of its own for each kind of pages."""
    metrics = MetricsSettings(listen=f"127.0.0.1:{free_port()}", sender_listen=f"127.0.0.1:{free_port()}", traces=True)
    return settings.model_copy(update={"metrics": metrics})


@asynccontextmanager
async def pages_at(address: str | None) -> AsyncIterator[Pages]:
    """The pages at an address."""
    async with aiohttp.ClientSession() as session:
        yield Pages(f"http://{address}", session)
