"""Reports that nobody opens: from a receiver, over a restart, asked of a function and of a webhook."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fiksmelding.alarms import AlarmKind
from fiksmelding.config import Settings, UnreadSettings
from fiksmelding.errors import SettingsError
from fiksmelding.receiver import FolderHandler, Receiver, Step
from fiksmelding.receiver.unread_webhook import unread_webhook
from fiksmelding.simulator import Simulator
from fiksmelding.webhooks import WebhookFailed
from support.receiving import Receiving
from support.roads import privat_json

SECRET = "a secret that both sides know"


@asynccontextmanager
async def receiving_unread(settings: Settings, work: Receiving, opened: set[str]) -> AsyncIterator[Receiver]:
    async def read(references: Sequence[str]) -> Collection[str]:
        return opened & set(references)

    handler = FolderHandler(work.folder)
    async with Receiver(settings, handler, read=read, observe=work.observe, alarm=work.alarm) as receiver:
        running = asyncio.create_task(receiver.run())
        yield receiver
        receiver.stop()
        await running


async def test_a_report_that_nobody_opens_is_told_by_the_receiver_that_comes_after(
    fiks: Simulator, tmp_path: Path
) -> None:
    given = fiks.settings_for("bergen")
    settings = given.model_copy(update={"unread": UnreadSettings(after_hours=1e-9)})
    work, opened = Receiving(tmp_path / "reports"), set[str]()
    async with receiving_unread(settings, work, opened):
        for text in ("Den ene.", "Den andre."):
            await fiks.submit(privat_json(text), message_type="no.ks.fiks.bekymringsmelding.privat.v2")
        await work.until(Step.RECEIPTED, 2)
    opened.add(min(work.stored()))
    async with receiving_unread(settings, work, opened) as receiver:
        await work.until_alarms(1)
        await fiks.submit(privat_json("En til."), message_type="no.ks.fiks.bekymringsmelding.privat.v2")
        await work.until(Step.RECEIPTED, 3)
        [alarm] = work.alarms
        entry = await receiver.journal.entry(str(alarm.entry_id))
    assert alarm.kind is AlarmKind.UNREAD
    assert entry.reference not in opened


@asynccontextmanager
async def answering(answer: web.Response) -> AsyncIterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    requests: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        requests.append((dict(request.headers), await request.read()))
        return answer

    application = web.Application()
    application.router.add_post("/read", take)
    async with TestServer(application) as server:
        yield str(server.make_url("/read")), requests


def unread(url: str | None) -> UnreadSettings:
    return UnreadSettings.model_validate({"url": url, "secret": SECRET})


async def test_a_webhook_is_asked_with_references_and_signed() -> None:
    answer = web.json_response({"read": ["case-2"]})
    async with answering(answer) as (url, requests), unread_webhook(unread(url)) as ask:
        assert set(await ask(["case-1", "case-2"])) == {"case-2"}
    [(headers, body)] = requests
    assert json.loads(body) == {"references": ["case-1", "case-2"]}
    signed = headers["Fiksmelding-Timestamp"].encode() + b"." + body
    assert headers["Fiksmelding-Signature"] == f"v1={hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()}"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(text="yes"),
        lambda: web.json_response(["case-1"]),
        lambda: web.json_response({"read": "case-1"}),
        lambda: web.json_response({"read": [1]}),
    ],
)
async def test_an_answer_that_does_not_say_which_were_opened_is_none(answer: object) -> None:
    assert callable(answer)
    async with answering(answer()) as (url, _), unread_webhook(unread(url)) as ask:
        with pytest.raises(WebhookFailed):
            await ask(["case-1"])


@pytest.mark.parametrize(
    ("url", "told"), [(None, r"set unread\.url"), ("http://elsewhere.example", r"unread\.url must be https")]
)
async def test_a_url_that_cannot_be_asked_is_refused(url: str | None, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        async with unread_webhook(unread(url)):
            pass
