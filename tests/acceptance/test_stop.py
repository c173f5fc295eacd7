"""A service manager's stop: what is with the handler is finished in time, or handed back."""

import asyncio
import json
import signal
import sqlite3
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fiksmelding.config import Settings
from fiksmelding.journal import Journal, State
from fiksmelding.simulator import Simulator
from support.commands import command, running
from support.roads import privat_json

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")


class CaseSystem:
    """A webhook that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.repeats: list[bool] = []

    async def serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        metadata = body.split(b"\r\n\r\n", 1)[1].split(b"\r\n--", 1)[0]
        self.repeats.append(json.loads(metadata)["repeat"])
        self.asked.set()
        await self.may_answer.wait()
        return web.json_response({"reference": "2026/17"})


@asynccontextmanager
async def case_system() -> AsyncIterator[tuple[CaseSystem, str]]:
    system = CaseSystem()
    application = web.Application()
    application.router.add_post("/", system.serve)
    async with TestServer(application) as server:
        yield system, str(server.make_url("/"))
        system.may_answer.set()


def settings_file(fiks: Simulator, stop_seconds: float) -> Path:
    path = fiks.write_settings("bergen")
    extra = f'\n[webhook]\nsecret = "a secret that both know"\n\n[receiver]\nstop_seconds = {stop_seconds}\n'
    path.write_text(path.read_text("utf-8") + extra, "utf-8")
    return path


async def asked_to_stop(process: Process, system: CaseSystem) -> None:
    """Ask, as a service manager does, while the case system has the report."""
    await asyncio.wait_for(system.asked.wait(), 30)
    process.send_signal(signal.SIGTERM)


async def test_what_is_with_the_case_system_is_finished_and_answered(fiks: Simulator) -> None:
    settings = settings_file(fiks, 30)
    report_id = await fiks.submit(privat_json(), message_type="no.ks.fiks.bekymringsmelding.privat.v2")
    async with (
        case_system() as (system, url),
        running("--verbose", "receive", "--settings", settings, "--to-webhook", url) as process,
    ):
        await asked_to_stop(process, system)
        assert process.stderr is not None
        while b"closed" not in (line := await asyncio.wait_for(process.stderr.readline(), 20)):
            assert line, "it ended before it was answered"
        system.may_answer.set()
        await asyncio.wait_for(process.wait(), 20)
    assert process.returncode == 0
    assert [receipt.message_type for receipt in fiks.receipts(report_id)] == ["no.ks.fiks.bekymringsmelding.mottatt.v1"]
    async with Journal(Settings.load(settings).journal) as journal:
        [entry] = await journal.entries()
        assert entry.state is State.RECEIPTED


async def test_what_takes_too_long_is_handed_back_and_done_again(fiks: Simulator) -> None:
    settings = settings_file(fiks, 0.5)
    report_id = await fiks.submit(privat_json(), message_type="no.ks.fiks.bekymringsmelding.privat.v2")
    async with case_system() as (system, url):
        words = ("receive", "--settings", settings, "--to-webhook", url)
        async with running(*words) as process:
            await asked_to_stop(process, system)
            assert await asyncio.wait_for(process.wait(), 20) == 0
        assert fiks.receipts(report_id) == ()
        file = Settings.load(settings).journal.url.removeprefix("sqlite:///")
        with sqlite3.connect(file) as journal:
            assert journal.execute("SELECT state, lease_owner FROM entries").fetchall() == [("OPENED", None)]
        journal.close()
        system.may_answer.set()
        assert (await command(*words, "--until-idle", "0.5")).status == 0
        assert system.repeats == [False, True]
    await fiks.wait_for(report_id, "LEVERT", timeout=5)


@pytest.mark.parametrize("words", [(), ("--to-folder", "reports", "--to-webhook", "http://127.0.0.1:1/")])
async def test_where_reports_go_has_to_be_said_once(fiks: Simulator, words: tuple[str, ...]) -> None:
    ended = await command("receive", "--settings", settings_file(fiks, 1), *words)
    assert ended.status == 2
    assert "webhook" in ended.complaints
