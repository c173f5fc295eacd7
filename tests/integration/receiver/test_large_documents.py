"""However large a document is, keeping it takes no more memory than a small one."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from aiohttp import web

from fiksmelding.simulator.pki import Credential
from support.platform import running_platform

PROGRAM = Path(__file__).with_name("keeping_process.py")
MEGABYTE = 1024 * 1024
LARGE = 100 * MEGABYTE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")


def document(size: int) -> web.Response:
    async def pieces() -> object:
        for _ in range(size // MEGABYTE):
            yield b"x" * MEGABYTE

    return web.Response(body=pieces(), headers={"Content-Length": str(size)})


async def test_a_hundred_megabytes_are_kept_in_memory_that_does_not_grow(
    tmp_path: Path, recipient_credential: Credential, journal_url: str
) -> None:
    (tmp_path / "key.pem").write_bytes(recipient_credential.key_pem)

    async def small(_: web.Request) -> web.StreamResponse:
        return document(8 * MEGABYTE)

    async def large(_: web.Request) -> web.StreamResponse:
        return document(LARGE)

    async with running_platform() as platform:
        platform.then(small, large)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            platform.url,
            str(tmp_path),
            journal_url,
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        told, _ = await process.communicate()
    size, grown = map(int, told.split())
    assert size == LARGE
    assert grown < 20 * MEGABYTE
