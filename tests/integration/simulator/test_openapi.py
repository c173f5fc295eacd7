import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from fiksmelding.simulator import Simulator
from fiksmelding.simulator.http.openapi import OPENAPI_PATH, openapi_document
from fiksmelding.simulator.http.routes import platform_routes
from support.envelopes import noise
from support.platform_client import PlatformClient, assertion

# A JSON document as `json` gives it: its shape is what is tested.
Document = dict[str, Any]


@pytest.fixture
async def school(fiks: Simulator) -> AsyncIterator[PlatformClient]:
    async with PlatformClient(fiks, "skole") as client:
        yield client


@pytest.fixture
async def document(bergen: PlatformClient) -> Document:
    async with bergen.http.get(OPENAPI_PATH) as response:
        assert response.status == 200
        served: Document = await response.json()
        return served


def described(document: Document) -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]


def check(document: Document, method: str, path: str, status: int, answer: object) -> None:
    """An answer has a status that its call is said to have, and the shape that goes with it."""
    responses = document["paths"][path][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {path} may not answer {status}: {answer}"
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    resolved = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(resolved).validate(answer)


async def test_every_call_that_is_served_is_described_and_no_other(fiks: Simulator, document: Document) -> None:
    routes = platform_routes(fiks.platform, api_url=fiks.api_url, issuer=fiks.issuer)
    served = {(route.method, route.path) for route in routes} - {("GET", OPENAPI_PATH)}
    kinds = {
        (method, path.replace("{kind:privat|offentlig}", kind))
        for method, path in served
        for kind in ("privat", "offentlig")
    }
    beside_the_contract = {
        ("GET", "/maskinporten/jwk"),
        ("GET", "/maskinporten/.well-known/oauth-authorization-server"),
    }

    assert set(described(document)) == kinds - beside_the_contract


def test_every_reference_leads_somewhere() -> None:
    document = openapi_document("http://127.0.0.1")

    wanted = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    components = document["components"]
    assert isinstance(components, dict)
    schemas = components["schemas"]
    assert isinstance(schemas, dict)
    assert wanted <= set(schemas)
    for schema in schemas.values():
        assert isinstance(schema, dict)
        jsonschema.Draft202012Validator.check_schema(schema)
    only_in_v2 = {name for name in ("stottetVersjon", "gyldig") if f'"{name}"' in json.dumps(schemas)}
    assert only_in_v2 == {"stottetVersjon", "gyldig"}
    v1 = {name: schema for name, schema in schemas.items() if name.endswith("V1")}
    assert len(v1) == 4
    assert '"stottetVersjon"' not in json.dumps(v1)
    assert '"gyldig"' not in json.dumps(v1)


async def test_answers_have_the_shape_that_is_described(
    document: Document, bergen: PlatformClient, school: PlatformClient
) -> None:
    account, organisation = bergen.party.account, school.party.account.organisation
    status, token = await bergen.ask_token(assertion(bergen.party, bergen.fiks.issuer))
    check(document, "POST", "/maskinporten/token", status, token)
    status, refusal = await bergen.ask_token("x")
    check(document, "POST", "/maskinporten/token", status, refusal)
    own = str(account.id)
    metadata = {"avsenderKontoId": own, "mottakerKontoId": own, "meldingType": "t"}
    status, sent = await bergen.send(metadata, noise(6 * 1024 * 1024))
    check(document, "POST", "/fiks-io/api/v1/send", status, sent)

    v1, v2 = "/bekymringsmelding/api/v1", "/bekymringsmelding/api/v2"
    report_id = await bergen.fiks.submit_sealed(b"x", message_type="t")
    filled = {
        "kontoId": own,
        "dokumentId": str(sent["dokumentlagerId"]),
        "kommunenummer": "4601",
        "bydelsnummer": "02",
        "fraFiksOrgId": str(organisation.id),
        "id": report_id,
    }
    number, protocol = account.organisation.number, "no.ks.fiks.bekymringsmelding.v2"
    query = f"?identifikator=ORG_NO.{number}&meldingProtokoll={protocol}&sikkerhetsniva=4"
    for method, path in described(document):
        if method != "GET" or path == "/dokumentlager/nedlasting/{dokumentId}":
            continue
        client = school if path.startswith((v1, v2)) else bergen
        status, answer = await client.get(path.format(**filled) + (query if path.endswith("/lookup") else ""))
        assert status == (404 if path.endswith("bekymringsmelding/{id}/status") else 200), path
        check(document, method, path, status, answer)


ODD_TEXTS = (
    "",
    "x",
    "4601",
    "00",
    "02",
    "\u0664\u0666\u0660\u0661",
    ".",
    "%00",
    "%ff",
    "æ",
    "x" * 2000,
    "2f0c1c1e-6f0e-4e57-9c1d-3f6b3a5d7e01",
)


@pytest.mark.parametrize("text", ODD_TEXTS)
async def test_whatever_a_call_is_filled_with_its_answer_is_as_described(
    document: Document, school: PlatformClient, text: str
) -> None:
    for method, path in described(document):
        if "{" not in path:
            continue
        filled = re.sub(r"{\w+}", lambda _: text, path)
        async with school.http.request(method, filled, headers=await school.headers(), data=b"x") as response:
            answer = await response.json()
        if response.status not in {404, 405, 200}:
            check(document, method, path, response.status, answer)
        assert response.status < 500


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /\xff HTTP/1.1",
        b"GET /%ff%00 HTTP/1.1",
        b"GET " + b"/" * 9000 + b" HTTP/1.1",
        b"\x00\xff",
        b"GET / HTTP/9.9",
    ],
)
@pytest.mark.parametrize("header", [b"", b"Secret: Secret\xff\r\n", b"Secret: Secret" + b"x" * 9000 + b"\r\n"])
async def test_a_request_of_any_bytes_is_answered_or_cut_off_and_not_quoted_in_the_log(
    fiks: Simulator, request_line: bytes, header: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(fiks.api_url).port)

    writer.write(request_line + b"\r\nHost: x\r\nConnection: close\r\n" + header + b"\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()

    assert not answer or answer.split(b" ")[1] in {b"400", b"404", b"505"}
    assert "Secret" not in caplog.text
