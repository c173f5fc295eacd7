"""Alarms to a webhook, a real HTTP server."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.alarms.lane import REFUSALS
from fiksmelding.alarms.routing import AlarmRoutes
from fiksmelding.config import AlarmsSettings
from fiksmelding.errors import SettingsError
from support.clocks import StillClock

SECRET = "a secret that both sides know"


@dataclass
class Listener:
    """The other side: answers as scripted, then 204, and remembers what it got."""

    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.headers.append(dict(request.headers))
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    async def until(self, count: int, passing: Callable[[], None] = lambda: None) -> None:
        """Wait until so many came; meanwhile, time passes."""
        async with asyncio.timeout(20):
            while len(self.bodies) < count:
                passing()
                await asyncio.sleep(0)


@asynccontextmanager
async def listening(*answers: int) -> AsyncIterator[Listener]:
    listener = Listener(list(answers))
    application = web.Application()
    application.router.add_post("/alarms", listener.take)
    async with TestServer(application) as server:
        listener.url = str(server.make_url("/alarms"))
        yield listener


def settings(url: str, **changes: object) -> AlarmsSettings:
    given = {"name": "Bergen", "webhook_url": url, "webhook_secret": SECRET, "timeout_seconds": 5}
    return AlarmsSettings.model_validate({**given, **changes})


async def test_an_alarm_is_posted_as_json_and_signed() -> None:
    clock = StillClock()
    async with listening() as listener, AlarmRoutes(settings(listener.url), clock) as routes:
        Alarms(clock, routes).sound(AlarmKind.QUARANTINED, "set aside", entry_id="7")
    [body], [headers] = listener.bodies, listener.headers
    told = json.loads(body)
    assert (told["kind"], told["level"], told["entryId"], told["over"]) == ("quarantined", "error", "7", False)
    assert (told["name"], told["title"]) == ("Bergen", "En melding må vurderes av et menneske")
    signed = headers["Fiksmelding-Timestamp"].encode() + b"." + body
    assert headers["Fiksmelding-Signature"] == f"v1={hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()}"


async def test_without_a_secret_nothing_is_signed() -> None:
    async with listening() as listener, AlarmRoutes(settings(listener.url, webhook_secret=None)) as routes:
        assert await routes.try_each("a trial") == {"webhook": None}
    assert "Fiksmelding-Signature" not in listener.headers[0]


async def test_an_alarm_is_posted_again_under_the_same_id_until_it_is_taken() -> None:
    clock = StillClock()
    async with listening(503, 429) as listener, AlarmRoutes(settings(listener.url), clock) as routes:
        Alarms(clock, routes).sound(AlarmKind.JOURNAL_DOWN, "down")
        await listener.until(3, lambda: clock.advance(timedelta(seconds=5)))
    assert len({json.loads(body)["id"] for body in listener.bodies}) == 1
    assert len({headers["Idempotency-Key"] for headers in listener.headers}) == 1


async def test_an_alarm_that_is_refused_for_good_does_not_stand_in_the_way_of_the_next() -> None:
    clock = StillClock()
    async with listening(*[400] * REFUSALS) as listener, AlarmRoutes(settings(listener.url), clock) as routes:
        alarms = Alarms(clock, routes)
        alarms.sound(AlarmKind.QUARANTINED, "refused", entry_id="1")
        alarms.sound(AlarmKind.QUARANTINED, "taken", entry_id="2")
        await listener.until(REFUSALS + 1, lambda: clock.advance(timedelta(seconds=20)))
    last = json.loads(listener.bodies[-1])
    assert (last["entryId"], last["lostBefore"]) == ("2", 1)


async def test_nobody_at_the_other_end_is_told_in_words() -> None:
    async with listening() as listener:
        pass
    async with AlarmRoutes(settings(listener.url)) as routes:
        assert "gave no answer" in str((await routes.try_each("a trial"))["webhook"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"webhook_url": "http://elsewhere.example/"}, r"alarms\.webhook_url must be https"),
        ({"webhook_secret": "short"}, r"alarms\.webhook must have 16 bytes"),
        ({"webhook_secret": None, "webhook_secret_file": "/nowhere"}, r"alarms\.webhook_secret_file cannot be read"),
    ],
)
async def test_settings_that_cannot_work_are_refused_at_the_start(changes: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        async with AlarmRoutes(settings("https://here.example", **changes)):
            pass
