"""Messages by the document store: in constant memory, and never in the way of those that need no store."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from fiksmelding.config import Settings
from fiksmelding.receiver import Step
from fiksmelding.simulator import HttpFault, Simulator
from fiksmelding.simulator.pki import Credential
from support.platform import running_platform
from support.receiving import receiving
from support.roads import privat_json

PROGRAM = Path(__file__).with_name("keeping_process.py")
MEGABYTE = 1024 * 1024
PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"
LARGE = 100 * MEGABYTE


def document(size: int) -> web.Response:
    async def pieces() -> object:
        for _ in range(size // MEGABYTE):
            yield b"x" * MEGABYTE

    return web.Response(body=pieces(), headers={"Content-Length": str(size)})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")
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


async def test_while_the_document_store_is_down_small_reports_go_their_way(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    large = 3 * settings.broker.prefetch
    sender = str(fiks.party("skole").account.id)
    fiks.faults.add(HttpFault(path="/dokumentlager/", status=503, times=None))
    for _ in range(large):
        headers = {
            "melding-id": str(uuid4()),
            "type": PRIVAT_V2,
            "avsender-id": sender,
            "dokumentlager-id": str(uuid4()),
        }
        fiks.put_on_queue("bergen", headers=headers, body=b"")
    async with receiving(settings, tmp_path / "reports") as work:
        report_id = await fiks.submit(privat_json(), message_type=PRIVAT_V2)
        await fiks.wait_for(report_id, "LEVERT", timeout=20)
        assert [step for step, _ in work.steps].count(Step.ACKNOWLEDGED) == 1
        fiks.faults.clear()
        await work.until(Step.QUARANTINED, large)  # the store is back, and has none of them
        state = await fiks.platform.broker.state(fiks.party("bergen").account.queue)
        assert (state.waiting, state.held) == (0, 0)
    assert work.stored() == {report_id}
