"""The webhook handler against real HTTP servers, the example of our pages among them."""

import asyncio
import email
import email.policy
import hashlib
import hmac
import json
import runpy
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fiksmelding.config import Settings, WebhookSettings
from fiksmelding.errors import Reject, SettingsError
from fiksmelding.messages import parse_xml
from fiksmelding.receiver import Registered, Report, Step, WebhookFailed, WebhookHandler
from fiksmelding.simulator import Simulator
from fiksmelding.simulator.pki import Authority
from fiksmelding.simulator.tls import server_context
from support.clocks import StillClock
from support.receiving import receiving, with_receiver
from support.roads import privat_json
from support.tools import run

ROOT = Path(__file__).parents[3]
SECRET = "a secret that both sides know"
PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Other:
    """The other side: answers as scripted, remembers what it got."""

    answer: Answer
    url: str = ""
    parts: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        if request.method == "POST":
            self._parse(request.headers["Content-Type"], self.bodies[-1])
        return await self.answer(request)

    def _parse(self, content_type: str, body: bytes) -> None:
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        for part in email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            self.parts[str(part.get_param("name", header="content-disposition"))] = str(part.get_filename()), content


def status(code: int, content: object = None, **headers: str) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(content, status=code, headers=headers)

    return answer


@asynccontextmanager
async def other_side(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Other]:
    other = Other(answer)
    application = web.Application(client_max_size=50_000_000)
    application.router.add_route("*", "/{path:.*}", other.serve)
    server = TestServer(application, scheme="https" if tls else "http")
    await server.start_server(ssl=tls)
    other.url = str(server.make_url("/reports"))
    try:
        yield other
    finally:
        await server.close()


def webhook(at: str, **changes: object) -> WebhookSettings:
    return WebhookSettings.model_validate({"url": at, "secret": SECRET, **changes})


class Given:
    """A report as a handler gets it, from a receiver that ends there."""

    def __init__(self) -> None:
        self.handled: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def by(self, handler: Callable[[Report], Awaitable[object]], report: Report) -> Registered:
        try:
            answer = await handler(report)
        except Exception as error:
            self.handled.set_result(error)
            raise Reject("Feil.") from error
        self.handled.set_result(answer)
        return Registered(reference="done")


@pytest.fixture
def bergen(settings: Settings) -> Settings:
    return with_receiver(settings, retry_first_seconds=0.05)


async def handled(
    fiks: Simulator, bergen: Settings, folder: Path, handler: Callable[[Report], Awaitable[object]], data: bytes
) -> object:
    """What a handler answers, or raises, for a report that came the whole way."""
    given = Given()
    files = {"bekymringsmelding.json": data, "bekymringsmelding.pdf": b"%PDF-1.7 a test"}
    await fiks.submit_sealed(await fiks.seal_for("bergen", files), message_type=PRIVAT_V2)
    async with receiving(bergen, folder, handler=lambda report: given.by(handler, report)):
        return await asyncio.wait_for(given.handled, 20)


async def test_the_other_side_gets_the_report_its_metadata_and_a_signature(
    fiks: Simulator, bergen: Settings, tmp_path: Path
) -> None:
    clock = StillClock()
    async with (
        other_side(status(201, {"reference": "2026/17"})) as other,
        WebhookHandler(webhook(other.url), clock=clock) as handler,
    ):
        assert await handled(fiks, bergen, tmp_path, handler, privat_json()) == Registered(reference="2026/17")
    assert other.parts["bekymringsmelding"] == ("bekymringsmelding.json", privat_json())
    assert other.parts["pdf"] == ("bekymringsmelding.pdf", b"%PDF-1.7 a test")
    about = json.loads(other.parts["metadata"][1])
    [request] = other.requests
    assert about["id"] == request.headers["Idempotency-Key"]
    assert (about["structured"], about["attempt"], about["repeat"]) == (True, 1, False)
    timestamp = str(int(clock.now().timestamp()))
    assert request.headers["Fiksmelding-Timestamp"] == timestamp
    mac = hmac.new(SECRET.encode(), timestamp.encode() + b"." + other.bodies[0], hashlib.sha256).hexdigest()
    assert request.headers["Fiksmelding-Signature"] == f"v1={mac}"
    assert request.headers["Content-Length"] == str(len(other.bodies[0]))


async def test_as_xml_it_is_by_our_schemas(fiks: Simulator, bergen: Settings, tmp_path: Path) -> None:
    async with (
        other_side(status(200, **{"Fiksmelding-Reference": "S-1"})) as other,
        WebhookHandler(webhook(other.url, format="xml")) as handler,
    ):
        assert await handled(fiks, bergen, tmp_path, handler, privat_json("på nynorsk")) == Registered(reference="S-1")
    name, xml = other.parts["bekymringsmelding"]
    assert name == "bekymringsmelding.xml"
    assert b"nynorsk" in parse_xml(xml).to_json()


async def test_what_no_schema_accepts_comes_as_it_is(fiks: Simulator, bergen: Settings, tmp_path: Path) -> None:
    async with (
        other_side(status(200)) as other,
        WebhookHandler(webhook(other.url, format="xml")) as handler,
    ):
        registered = await handled(fiks, bergen, tmp_path, handler, b'{"melding": 7}')
    about = json.loads(other.parts["metadata"][1])
    assert registered == Registered(reference=about["id"])
    assert about["structured"] is False
    assert other.parts["bekymringsmelding"] == ("bekymringsmelding.json", b'{"melding": 7}')


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"reason": "  Feil\nkommune.\u0007 "}, "Feil kommune."),
        ({"melding": "Ikke vår."}, "Ikke vår."),
        ({"reason": "x" * 3000}, "x" * 1000),
        ({"reason": 7}, "Mottakerens fagsystem avviste meldingen."),
        (["reason"], "Mottakerens fagsystem avviste meldingen."),
    ],
    ids=["reason", "melding", "long", "number", "list"],
)
async def test_422_rejects_with_the_reason_given(
    fiks: Simulator, bergen: Settings, tmp_path: Path, content: object, told: str
) -> None:
    async with other_side(status(422, content)) as other, WebhookHandler(webhook(other.url)) as handler:
        refusal = await handled(fiks, bergen, tmp_path, handler, privat_json())
    assert isinstance(refusal, Reject)
    assert refusal.reason == told


async def held(_request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    "answer",
    [status(500), status(404), status(401), status(302, None, Location="/elsewhere"), held],
    ids=["500", "404", "401", "302", "no answer in time"],
)
async def test_anything_else_is_tried_again(fiks: Simulator, bergen: Settings, tmp_path: Path, answer: Answer) -> None:
    async with (
        other_side(answer) as other,
        WebhookHandler(webhook(other.url, timeout_seconds=0.3)) as handler,
    ):
        failure = await handled(fiks, bergen, tmp_path, handler, privat_json("Hemmelig"))
        assert isinstance(failure, WebhookFailed)
        assert "Hemmelig" not in str(failure)
        assert len(other.requests) == 1, "a redirect is not followed"


async def test_tls_is_checked_against_the_ca_of_the_settings(
    fiks: Simulator, bergen: Settings, tmp_path: Path, authority: Authority
) -> None:
    (tmp_path / "roots.pem").write_bytes(authority.roots_pem)
    (tmp_path / "others.pem").write_bytes(Authority.new().roots_pem)
    server = server_context(authority.server("localhost", "127.0.0.1"))
    async with other_side(status(200), server) as other:
        async with WebhookHandler(webhook(other.url, ca_file=tmp_path / "roots.pem")) as handler:
            first = await handled(fiks, bergen, tmp_path, handler, privat_json("en"))
        async with WebhookHandler(webhook(other.url, ca_file=tmp_path / "others.pem")) as handler:
            second = await handled(fiks, bergen, tmp_path, handler, privat_json("to"))
    assert isinstance(first, Registered)
    assert isinstance(second, WebhookFailed)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"url": None}, "webhook.url"),
        ({"url": "http://fagsystem.example.no/"}, "must be https"),
        ({"url": "fagsystem"}, "must be https"),
        ({"secret": None}, "webhook.secret_file"),
        ({"secret": "short"}, "16 bytes"),
    ],
)
def test_settings_that_would_not_be_safe_are_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        WebhookHandler(webhook("https://fagsystem.example.no/", **changes))


@pytest.fixture
def example(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The example of docs/webhook.md, running: its URL and its folder."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    program = runpy.run_path(str(ROOT / "examples" / "webhook_receiver.py"))
    server = program["make_server"](tmp_path / "secret", tmp_path / "cases", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/reports", tmp_path / "cases"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_the_example_of_our_page_takes_reports_the_whole_way(
    fiks: Simulator, settings: Settings, tmp_path: Path, example: tuple[str, Path]
) -> None:
    url, cases = example
    good = await fiks.submit(privat_json("Et barn"), message_type=PRIVAT_V2)
    foreign = json.dumps({**json.loads(privat_json()), "kommunenummer": "9999"}).encode()
    files = {"bekymringsmelding.json": foreign, "bekymringsmelding.pdf": b"%PDF"}
    refused = await fiks.submit_sealed(await fiks.seal_for("bergen", files), message_type=PRIVAT_V2)
    async with (
        WebhookHandler(webhook(url, secret=None, secret_file=tmp_path / "secret", confirm=True)) as handler,
        receiving(settings, tmp_path, handler=handler, confirm=handler.confirm) as work,
    ):
        await fiks.wait_for(good, "LEVERT", timeout=20)
        await fiks.wait_for(refused, "AVVIST_FAGSYSTEM", timeout=20)
        await work.until(Step.CONFIRMED)
        entries = {entry.report_id: entry for entry in await work.receiver.journal.entries()}
    assert entries[good].reference == f"sak-{good[:8]}"
    assert [path.name for path in cases.iterdir()] == [good]
    assert json.loads((cases / good / "bekymringsmelding.json").read_bytes())["melding"] == "Et barn"
    assert fiks.report(refused).receipts[0].feilmelding == "Meldingen gjelder en annen kommune."


async def test_the_example_tells_what_it_does_not_have_and_believes_no_stranger(
    fiks: Simulator, bergen: Settings, tmp_path: Path, example: tuple[str, Path]
) -> None:
    url, _ = example
    old = StillClock()
    async with WebhookHandler(webhook(url)) as handler:
        found = await handled(fiks, bergen, tmp_path, lambda one: handler.confirm("ref", one), privat_json("en"))
        assert found is False
    async with WebhookHandler(webhook(url, secret="a secret of somebody else")) as stranger:
        answer = await handled(fiks, bergen, tmp_path, stranger, privat_json("to"))
        assert isinstance(answer, WebhookFailed)
    old.advance(timedelta(days=-3650))
    async with WebhookHandler(webhook(url), clock=old) as replayed:
        answer = await handled(fiks, bergen, tmp_path, replayed, privat_json("tre"))
        assert isinstance(answer, WebhookFailed)


async def test_openssl_computes_the_same_signature_as_on_our_page(
    fiks: Simulator, bergen: Settings, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "webhook.md").read_text("utf-8")
    [line] = [line for line in page.splitlines() if "openssl dgst" in line]
    async with other_side(status(200)) as other, WebhookHandler(webhook(other.url)) as handler:
        await handled(fiks, bergen, tmp_path, handler, privat_json())
    (tmp_path / "body").write_bytes(other.bodies[0])
    (tmp_path / "secret").write_text(SECRET)
    headers = other.requests[0].headers
    run("openssl", "version")  # or skip
    script = f"cd '{tmp_path}'; TIMESTAMP={headers['Fiksmelding-Timestamp']}; {line}"
    computed = await asyncio.to_thread(run, "sh", "-c", script)
    assert headers["Fiksmelding-Signature"] == f"v1={computed.decode().split()[0]}"
