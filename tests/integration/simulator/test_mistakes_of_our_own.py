import logging

import aiohttp
import pytest
from aiohttp import web

from fiksmelding.simulator.http.server import HttpServer, reserve_port


async def broken(_: web.Request) -> web.Response:
    raise LookupError("a secret value")


async def elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPFound("/there")


async def test_a_mistake_in_a_handler_answers_as_the_platforms_own_do_and_tells_no_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listening = reserve_port("127.0.0.1", 0)
    port = listening.getsockname()[1]
    async with (
        HttpServer(listening, [web.get("/broken", broken), web.get("/moved", elsewhere)]),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        response = await http.get("/broken")
        answer = await response.json()
        moved = await http.get("/moved", allow_redirects=False)

    assert (response.status, answer["error"]) == (500, "Internal Server Error")
    assert moved.status == 302
    told = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert ["LookupError" in record.getMessage() for record in told] == [True]
    assert "secret" not in caplog.text + str(answer)
