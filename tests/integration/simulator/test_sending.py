import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import aiohttp
import pytest

from fiksmelding.messages import MessageType
from fiksmelding.simulator import Simulator
from support.envelopes import noise
from support.platform_client import PlatformClient

MEGABYTE = 1024 * 1024


def metadata(client: PlatformClient, **changes: object) -> dict[str, object]:
    """Metadata from the client's account to Oslo's."""
    return {
        "avsenderKontoId": str(client.party.account.id),
        "mottakerKontoId": str(client.fiks.party("oslo").account.id),
        "meldingType": "no.ks.fiks.test.v1",
        **changes,
    }


@pytest.fixture
async def oslo(fiks: Simulator) -> PlatformClient:
    return PlatformClient(fiks, "oslo")


async def test_a_message_arrives_with_its_body_and_custom_headers(bergen: PlatformClient, oslo: PlatformClient) -> None:
    answered = str(uuid4())
    headere = {"klientMeldingId": "mine", "Navn": "Åse"}

    status, sent = await bergen.send(
        metadata(bergen, svarPaMelding=answered, ttl=60_000, headere=headere), b"sealed" * 1000
    )
    async with oslo:
        received = await oslo.receive()

    assert status == 200
    assert sent == metadata(
        bergen, svarPaMelding=answered, ttl=60_000, headere=headere, meldingId=sent["meldingId"], dokumentlagerId=None
    )
    assert received.body == b"sealed" * 1000
    assert received.headers == {
        "melding-id": sent["meldingId"],
        "type": "no.ks.fiks.test.v1",
        "avsender-id": str(bergen.party.account.id),
        "avsender-navn": bergen.party.account.name,
        "svar-til": answered,
        "egendefinert-header.klientMeldingId": "mine",
        "egendefinert-header.Navn": "Åse",
    }
    assert 0 < int(received.expiration or "") <= 60_000


async def test_each_sending_gets_an_id_of_its_own_and_seven_days_to_live(bergen: PlatformClient) -> None:
    _, first = await bergen.send(metadata(bergen))
    _, second = await bergen.send(metadata(bergen))

    assert first["meldingId"] != second["meldingId"]
    assert first["ttl"] == 7 * 24 * 3600 * 1000


@pytest.mark.parametrize(
    "changes",
    [
        {"avsenderKontoId": None},
        {"mottakerKontoId": "oslo"},
        {"mottakerKontoId": str(uuid4())},
        {"meldingType": ""},
        {"meldingType": "x" * 256},
        {"meldingType": 1},
        {"ttl": 999},
        {"ttl": -1},
        {"ttl": 2**32},
        {"ttl": 10**400},
        {"ttl": "soon"},
        {"svarPaMelding": "x"},
        {"headere": []},
        {"headere": {"name": 1}},
        {"headere": {"": "value"}},
        {"headere": {"n" * 109: "value"}},
        {"headere": {"name": "v" * 70_000}},
    ],
)
async def test_metadata_that_break_a_rule_are_a_bad_request(
    bergen: PlatformClient, changes: Mapping[str, object]
) -> None:
    status, answer = await bergen.send(metadata(bergen, **changes), b"sealed")

    assert status == 400
    assert answer["errorId"]


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", '"text"', "[" * 10_000, '{"a": NaN}', '{"meldingType": "\\ud800"}']
)
async def test_metadata_that_are_no_object_are_a_bad_request(bergen: PlatformClient, text: str) -> None:
    status, _ = await bergen.send(text, b"sealed")

    assert status == 400


async def test_an_empty_body_is_refused_for_a_message_without_one_has_no_such_part(bergen: PlatformClient) -> None:
    with_empty, _ = await bergen.send(metadata(bergen), b"")
    without, _ = await bergen.send(metadata(bergen))

    assert (with_empty, without) == (400, 200)


async def test_sending_as_another_account_is_forbidden(bergen: PlatformClient, oslo: PlatformClient) -> None:
    status, answer = await bergen.send(metadata(oslo))

    assert status == 403
    assert str(bergen.party.integration.id) in str(answer["message"])


async def test_a_closed_account_neither_sends_nor_receives(bergen: PlatformClient, oslo: PlatformClient) -> None:
    register = bergen.fiks.platform.world.register
    register.add(replace(oslo.party.account, valid_recipient=False))
    to_closed, _ = await bergen.send(metadata(bergen))
    register.add(replace(bergen.party.account, valid_sender=False))
    from_closed, _ = await bergen.send(metadata(bergen))

    assert (to_closed, from_closed) == (400, 400)


async def test_a_large_body_goes_through_the_document_store(bergen: PlatformClient, oslo: PlatformClient) -> None:
    body = noise(5 * MEGABYTE + 1)

    _, sent = await bergen.send(metadata(bergen), body)
    async with oslo:
        received = await oslo.receive()
        status, downloaded = await oslo.get_bytes(f"/dokumentlager/nedlasting/{sent['dokumentlagerId']}")
        _, described = await oslo.get(f"/dokumentlager/nedlasting/{sent['dokumentlagerId']}/metadata")

    assert received.headers["dokumentlager-id"] == sent["dokumentlagerId"]
    assert received.body == b""
    assert (status, downloaded) == (200, body)
    assert (described["storrelse"], described["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


async def test_the_rest_of_a_document_can_be_asked_for_where_the_store_serves_ranges(
    bergen: PlatformClient, oslo: PlatformClient
) -> None:
    body = noise(5 * MEGABYTE + 1)
    _, sent = await bergen.send(metadata(bergen), body)
    path = f"/dokumentlager/nedlasting/{sent['dokumentlagerId']}"
    same, other = f'"{hashlib.sha256(body).hexdigest()}"', '"another"'

    async with oslo:
        rest = await oslo.get_bytes(path, headers={"Range": "bytes=1000-"})
        same_rest = await oslo.get_bytes(path, headers={"Range": "bytes=1000-", "If-Range": same})
        changed = await oslo.get_bytes(path, headers={"Range": "bytes=1000-", "If-Range": other})
        beyond, _ = await oslo.get_bytes(path, headers={"Range": f"bytes={len(body)}-"})
        bergen.fiks.platform.documents.serves_ranges = False
        whole = await oslo.get_bytes(path, headers={"Range": "bytes=1000-"})

    assert rest == same_rest == (206, body[1000:])
    assert changed == whole == (200, body)
    assert beyond == 416


async def test_a_body_of_five_megabytes_still_travels_with_its_message(
    bergen: PlatformClient, oslo: PlatformClient
) -> None:
    body = noise(5 * MEGABYTE)

    _, sent = await bergen.send(metadata(bergen), body)
    async with oslo:
        received = await oslo.receive()

    assert sent["dokumentlagerId"] is None
    assert received.body == body


async def test_a_document_is_for_its_recipient_alone_and_lives_a_day_longer_than_its_message(
    bergen: PlatformClient, oslo: PlatformClient
) -> None:
    _, sent = await bergen.send(metadata(bergen, ttl=60_000), noise(5 * MEGABYTE + 1))
    path = f"/dokumentlager/nedlasting/{sent['dokumentlagerId']}"
    stored = bergen.fiks.folder / "dokumentlager" / str(sent["dokumentlagerId"])

    by_sender, _ = await bergen.get_bytes(path)
    async with oslo:
        bergen.fiks.clock.advance(timedelta(hours=24, seconds=50))
        in_time, _ = await oslo.get_bytes(path)
        bergen.fiks.clock.advance(timedelta(seconds=15))
        too_late, _ = await oslo.get_bytes(path)
        unknown, _ = await oslo.get_bytes(f"/dokumentlager/nedlasting/{uuid4()}")
        nonsense, _ = await oslo.get_bytes("/dokumentlager/nedlasting/x")

    assert (by_sender, in_time, too_late, unknown, nonsense) == (403, 200, 404, 404, 400)
    assert not stored.exists()


async def test_a_large_body_that_is_refused_leaves_no_file(bergen: PlatformClient) -> None:
    status, _ = await bergen.send(metadata(bergen, ttl=1), noise(6 * MEGABYTE))

    assert status == 400
    assert list((bergen.fiks.folder / "dokumentlager").iterdir()) == []


async def test_an_expired_message_is_told_to_its_sender_by_headers_alone(bergen: PlatformClient) -> None:
    _, sent = await bergen.send(metadata(bergen, ttl=1000), b"sealed")

    bergen.fiks.clock.advance(timedelta(seconds=2))
    received = await bergen.receive()

    assert received.headers == {
        "melding-id": received.headers["melding-id"],
        "type": MessageType.TIDSAVBRUDD,
        "avsender-id": str(bergen.fiks.party("oslo").account.id),
        "avsender-navn": bergen.fiks.party("oslo").account.name,
        "svar-til": sent["meldingId"],
        "svar-til-type": "no.ks.fiks.test.v1",
    }
    assert received.body == b""
    assert UUID(received.headers["melding-id"]) != UUID(str(sent["meldingId"]))


async def test_a_message_given_back_three_times_is_told_to_its_sender(
    bergen: PlatformClient, oslo: PlatformClient
) -> None:
    _, sent = await bergen.send(metadata(bergen), b"sealed")
    async with oslo:
        for _ in range(3):
            await oslo.receive(ack=False)

    received = await bergen.receive()

    assert received.headers["type"] == MessageType.SERVERFEIL
    assert received.headers["svar-til"] == sent["meldingId"]


async def test_word_of_a_dead_message_that_dies_itself_is_told_to_nobody(bergen: PlatformClient) -> None:
    await bergen.send(metadata(bergen, ttl=1000))
    bergen.fiks.clock.advance(timedelta(seconds=2))
    await bergen.fiks.account_states()

    bergen.fiks.clock.advance(timedelta(days=8))
    await bergen.fiks.account_states()

    assert [state.queue.waiting for state in await bergen.fiks.account_states()] == [0] * len(bergen.fiks.accounts)


async def post(client: PlatformClient, data: bytes, content_type: str) -> int:
    headers = {**await client.headers(), "Content-Type": content_type}
    async with client.http.post("/fiks-io/api/v1/send", data=data, headers=headers) as response:
        assert set(await response.json()) == {"timestamp", "status", "error", "errorId", "path", "message"}
        return response.status


MULTIPART = "multipart/form-data; boundary=b"
METADATA = b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n'
END = b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"{}", "application/json"),
        (b"", "multipart/form-data"),
        (b"", MULTIPART),
        (b"no boundary", MULTIPART),
        (b"--b\r\n", MULTIPART),
        (b"--b--\r\n", MULTIPART),
        (b"--b\r\nno colon\r\n\r\nx\r\n--b--\r\n", MULTIPART),
        (b"--b\r\n\r\nnameless\r\n--b--\r\n", MULTIPART),
        (METADATA + b"\r\n{}", MULTIPART),
        (
            b'--b\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Length: x\r\n\r\n{}\r\n--b--\r\n',
            MULTIPART,
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Length: -9\r\n\r\n{}\r\n--b--\r\n',
            MULTIPART,
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Encoding: br\r\n\r\n{}\r\n--b--\r\n',
            MULTIPART,
        ),
        (b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n", MULTIPART),
        (b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\nsealed\r\n--b--\r\n', MULTIPART),
        (b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nsealed\r\n--b--\r\n', MULTIPART),
        (b"--b\r\n" + b"x: y\r\n" * 5000, MULTIPART),
        (b"--b\r\nContent-Disposition: " + b"x" * 20_000 + b"\r\n\r\n{}\r\n--b--\r\n", MULTIPART),
        (
            b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n' + b" " * 300_000 + b"\r\n--b--\r\n",
            MULTIPART,
        ),
        (b"--\r\n", "multipart/form-data; boundary="),
        (b"--b--\r\n", "multipart/form-data; boundary=" + "b" * 80),
        (b"\xff\xfe", MULTIPART),
    ],
)
async def test_a_body_that_is_no_sending_is_a_bad_request(
    bergen: PlatformClient, data: bytes, content_type: str
) -> None:
    assert await post(bergen, data, content_type) == 400


async def test_a_part_given_twice_is_a_bad_request(bergen: PlatformClient) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'
    twice = (part + json.dumps(metadata(bergen)).encode() + b"\r\n") * 2 + b"--b--\r\n"

    assert await post(bergen, twice, MULTIPART) == 400


async def test_the_parts_may_come_in_either_order(bergen: PlatformClient, oslo: PlatformClient) -> None:
    form = aiohttp.FormData()
    form.add_field("data", b"sealed", content_type="application/octet-stream", filename="any.name")
    form.add_field("metadata", json.dumps(metadata(bergen)), content_type="application/json")
    async with bergen.http.post("/fiks-io/api/v1/send", data=form, headers=await bergen.headers()) as response:
        assert response.status == 200
    async with oslo:
        assert (await oslo.receive()).body == b"sealed"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/fiks-io/api/v1/send", 405),
        ("DELETE", "/maskinporten/token", 405),
        ("GET", "/%00", 404),
    ],
)
async def test_a_path_or_method_that_is_not_served_gets_the_error_json(
    bergen: PlatformClient, method: str, path: str, status: int
) -> None:
    async with bergen.http.request(method, path) as response:
        answer = await response.json()

    assert (response.status, answer["status"]) == (status, status)
    assert ("Allow" in response.headers) == (status == 405)


async def test_an_upload_broken_off_leaves_no_file_and_is_no_mistake_of_ours(
    bergen: PlatformClient, caplog: pytest.LogCaptureFixture
) -> None:
    folder = bergen.fiks.folder / "dokumentlager"
    headers = {**await bergen.headers(), "Host": "x", "Content-Type": MULTIPART, "Content-Length": "99999999"}
    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(bergen.fiks.api_url).port)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    part = b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n'
    writer.write(f"POST /fiks-io/api/v1/send HTTP/1.1\r\n{head}\r\n".encode() + part + noise(7 * MEGABYTE))
    await writer.drain()
    while not list(folder.iterdir()):  # noqa: ASYNC110 - the file system tells nobody
        await asyncio.sleep(0)

    writer.transport.abort()
    while list(folder.iterdir()):  # noqa: ASYNC110
        await asyncio.sleep(0)

    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert (await bergen.send(metadata(bergen)))[0] == 200
