import asyncio
import base64
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pika.exceptions
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwcrypto import jwk, jws

from fiksmelding.simulator import Simulator
from fiksmelding.simulator.pki import Authority
from support.platform_client import PlatformClient, assertion, encode, sign, x5c

BAD_TOKEN = "Klarte ikke å validere access_token"
BAD_INTEGRATION = "Autentisering feilet for integrasjon med id"


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


async def refused(client: PlatformClient, text: str, *, error: str, code: str | None = None, says: str = "") -> None:
    """Ask for a token, and see the refusal: status, OAuth error, Maskinporten's number and words."""
    status, answer = await client.ask_token(text)
    assert (status, answer["error"]) == (400, error)
    assert str(answer.get("error_uri", "")).endswith(code or "")
    assert says in str(answer["error_description"])
    assert "trace_id" in str(answer["error_description"])
    assert "access_token" not in answer


async def test_a_token_names_the_organisation_and_the_scope_and_can_be_checked(bergen: PlatformClient) -> None:
    status, answer = await bergen.ask_token(assertion(bergen.party, bergen.fiks.issuer))

    async with bergen.http.get(f"{bergen.fiks.issuer}jwk") as response:
        keys = jwk.JWKSet.from_json(await response.text())
    token = jws.JWS()
    token.deserialize(str(answer["access_token"]), keys)
    claims = json.loads(token.payload)
    assert status == 200
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 120, "ks:fiks")
    assert claims["consumer"] == {
        "authority": "iso6523-actorid-upis",
        "ID": f"0192:{bergen.party.account.organisation.number}",
    }
    assert claims["iss"] == bergen.fiks.issuer
    assert claims["exp"] - claims["iat"] == 120


@pytest.mark.parametrize(
    ("claims", "error", "code", "says"),
    [
        pytest.param({"aud": "https://maskinporten.no/"}, "invalid_grant", "MP-110", "aud", id="aud"),
        pytest.param({"aud": []}, "invalid_grant", "MP-110", "aud", id="no audience"),
        pytest.param({"iss": "someone"}, "invalid_grant", "MP-100", "Client not found", id="iss"),
        pytest.param({"scope": "ks:fiks other:scope"}, "invalid_scope", "MP-200", "invalid scopes", id="scope"),
        pytest.param({"scope": " "}, "invalid_scope", "MP-200", "invalid scopes", id="no scope"),
        pytest.param({"consumer_org": "999999999"}, "invalid_grant", "MP-251", "not delegated", id="consumer_org"),
        pytest.param({"consumer_org": "310460109"}, "invalid_request", None, "combination", id="consumer_org own"),
        pytest.param({"exp": "soon"}, "invalid_grant", None, "exp", id="exp text"),
        pytest.param({"exp": 10**30}, "invalid_grant", None, "exp", id="exp huge"),
        pytest.param({"jti": ""}, "invalid_grant", None, "jti", id="jti empty"),
    ],
)
async def test_an_assertion_with_a_wrong_claim_is_refused(
    bergen: PlatformClient, claims: Mapping[str, object], error: str, code: str | None, says: str
) -> None:
    text = assertion(bergen.party, bergen.fiks.issuer, claims=claims)

    await refused(bergen, text, error=error, code=code, says=says)


@pytest.mark.parametrize("name", ["aud", "iss", "scope", "iat", "exp", "jti"])
async def test_an_assertion_without_a_claim_is_refused(bergen: PlatformClient, name: str) -> None:
    text = assertion(bergen.party, bergen.fiks.issuer, without=frozenset({name}))

    await refused(bergen, text, error="invalid_grant", says=name)


@pytest.mark.parametrize(
    ("issued", "expires", "code", "says"),
    [
        (0, 121, None, "120 seconds"),
        (0, 0, "MP-130", "expired"),
        (-200, -80, "MP-130", "expired"),
        (60, 120, None, "after now"),
        (5, 3, None, "120 seconds"),
    ],
)
async def test_an_assertion_out_of_its_time_is_refused(
    bergen: PlatformClient, issued: int, expires: int, code: str | None, says: str
) -> None:
    now = int(time.time())
    text = assertion(bergen.party, bergen.fiks.issuer, claims={"iat": now + issued, "exp": now + expires})

    await refused(bergen, text, error="invalid_grant", code=code, says=says)


async def test_a_clock_a_few_seconds_ahead_is_forgiven(bergen: PlatformClient) -> None:
    now = int(time.time())

    assert await bergen.token(iat=now + 5, exp=now + 125)


async def test_an_assertion_counts_once(bergen: PlatformClient) -> None:
    text = assertion(bergen.party, bergen.fiks.issuer)

    status, _ = await bergen.ask_token(text)

    assert status == 200
    await refused(bergen, text, error="invalid_grant", code="MP-012", says="used before")


async def test_a_jti_used_again_in_another_assertion_is_refused(bergen: PlatformClient) -> None:
    await bergen.token(jti="once")

    text = assertion(bergen.party, bergen.fiks.issuer, claims={"jti": "once", "exp": int(time.time()) + 60})

    await refused(bergen, text, error="invalid_grant", code="MP-012")


async def test_an_assertion_signed_by_another_key_is_refused(
    bergen: PlatformClient, other_key: rsa.RSAPrivateKey
) -> None:
    text = assertion(bergen.party, bergen.fiks.issuer, key=other_key)

    await refused(bergen, text, error="invalid_grant", code="MP-124", says="signature")


async def test_an_assertion_altered_after_signing_is_refused(bergen: PlatformClient) -> None:
    header, claims, signature = assertion(bergen.party, bergen.fiks.issuer).split(".")
    altered = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"jti": "another"}

    text = f"{header}.{encode(json.dumps(altered).encode())}.{signature}"

    await refused(bergen, text, error="invalid_grant", code="MP-124")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "PS256", "RS512"])
async def test_an_assertion_by_another_algorithm_is_refused(bergen: PlatformClient, algorithm: str) -> None:
    text = assertion(bergen.party, bergen.fiks.issuer, header={"alg": algorithm})

    await refused(bergen, text, error="invalid_grant", says="RS256")


async def test_a_certificate_from_another_authority_is_refused(bergen: PlatformClient) -> None:
    stranger = Authority.new().business(bergen.party.account.organisation.number, "Bergen kommune (test)")
    text = assertion(bergen.party, bergen.fiks.issuer, header={"x5c": x5c(stranger)}, key=stranger.key)

    await refused(bergen, text, error="invalid_grant", code="MP-120", says="invalid certificate")


async def test_a_certificate_may_come_without_its_chain(bergen: PlatformClient) -> None:
    status, _ = await bergen.ask_token(
        assertion(bergen.party, bergen.fiks.issuer, header={"x5c": x5c(bergen.party.credential)[:1]})
    )

    assert status == 200


async def test_an_expired_certificate_is_refused(bergen: PlatformClient, authority: Authority) -> None:
    now = datetime.now(UTC)
    expired = authority.business(
        bergen.party.account.organisation.number,
        "Bergen kommune (test)",
        not_before=now - timedelta(days=2),
        not_after=now - timedelta(days=1),
    )
    text = assertion(bergen.party, bergen.fiks.issuer, header={"x5c": x5c(expired)}, key=expired.key)

    await refused(bergen, text, error="invalid_grant", code="MP-120")


async def test_the_certificate_of_another_organisation_is_refused(bergen: PlatformClient) -> None:
    oslo = bergen.fiks.party("oslo").credential
    text = assertion(bergen.party, bergen.fiks.issuer, header={"x5c": x5c(oslo)}, key=oslo.key)

    await refused(bergen, text, error="invalid_grant", code="MP-122", says="organization number")


@pytest.mark.parametrize("chain", [[], ["AAAA"], ["not base64!"], "text", [1], ["MIIB"] * 11])
async def test_an_x5c_that_holds_no_certificates_is_refused(bergen: PlatformClient, chain: object) -> None:
    text = assertion(bergen.party, bergen.fiks.issuer, header={"x5c": chain})

    await refused(bergen, text, error="invalid_grant")


async def test_a_certificate_of_an_unknown_version_is_refused(bergen: PlatformClient) -> None:
    leaf, *others = x5c(bergen.party.credential)
    odd = base64.b64decode(leaf).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09", 1)
    chain = [base64.b64encode(odd).decode(), *others]
    text = assertion(bergen.party, bergen.fiks.issuer, header={"x5c": chain})

    await refused(bergen, text, error="invalid_grant", code="MP-123")


async def test_a_client_without_registered_keys_must_send_its_certificate(bergen: PlatformClient) -> None:
    text = assertion(bergen.party, bergen.fiks.issuer, header={"kid": "unknown"}, without=frozenset({"x5c"}))

    await refused(bergen, text, error="invalid_grant", code="MP-123")


async def test_a_client_with_a_registered_key_signs_with_that_and_names_it(
    bergen: PlatformClient, other_key: rsa.RSAPrivateKey
) -> None:
    register = bergen.fiks.platform.world.register
    register.add(replace(bergen.party.client, keys={"key-1": other_key.public_key()}))

    def signed(kid: str | None) -> str:
        without = frozenset({"x5c"} if kid else {"x5c", "kid"})
        return assertion(bergen.party, bergen.fiks.issuer, header={"kid": kid}, without=without, key=other_key)

    status, _ = await bergen.ask_token(signed("key-1"))

    assert status == 200
    await refused(bergen, signed("key-2"), error="invalid_grant", says="kid")
    await refused(bergen, signed(None), error="invalid_grant", says="pre-registered")


async def test_a_supplier_acts_for_an_organisation_that_delegated_to_it(bergen: PlatformClient) -> None:
    fiks, oslo = bergen.fiks, bergen.fiks.party("oslo")
    number = oslo.account.organisation.number
    fiks.platform.world.register.add(replace(bergen.party.client, delegated_by=frozenset({number})))

    token = await bergen.token(consumer_org=number)
    async with bergen.http.get(
        f"/fiks-io/katalog/api/v1/kontoer/{oslo.account.id}",
        headers={
            "Authorization": f"Bearer {token}",
            "IntegrasjonId": str(oslo.integration.id),
            "IntegrasjonPassord": oslo.integration.password.get_secret_value(),
        },
    ) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "client_credentials", "assertion": "a.b.c"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "invalid_request"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b"}, "invalid_request"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"}, "invalid_request"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "{}.{}.x"}, "invalid_request"),
    ],
)
async def test_a_token_request_that_is_none_is_refused(
    bergen: PlatformClient, form: dict[str, str], error: str
) -> None:
    async with bergen.http.post(f"{bergen.fiks.issuer}token", data=form) as response:
        answer = await response.json()

    assert (response.status, answer["error"]) == (400, error)


async def test_a_token_request_in_json_is_refused(bergen: PlatformClient) -> None:
    async with bergen.http.post(f"{bergen.fiks.issuer}token", json={"grant_type": "any"}) as response:
        assert (response.status, (await response.json())["error"]) == (400, "invalid_request")


ACCOUNT = "/fiks-io/katalog/api/v1/kontoer/"


async def status_and_message(client: PlatformClient, headers: Mapping[str, str]) -> tuple[int, str]:
    path = f"{ACCOUNT}{client.party.account.id}"
    before = time.time() * 1000
    async with client.http.get(path, headers=headers) as response:
        answer = await response.json()
    if response.status >= 400:
        assert set(answer) == {"timestamp", "status", "error", "errorId", "path", "message"}
        assert (answer["status"], answer["path"]) == (response.status, path)
        assert before - 1 <= answer["timestamp"] <= time.time() * 1000 + 1
        assert answer["errorId"]
    return response.status, answer.get("message", "")


async def test_a_call_with_all_three_headers_is_let_in(bergen: PlatformClient) -> None:
    assert await status_and_message(bergen, await bergen.headers()) == (200, "")


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer a.b.c", "Basic YTpi", "Bearer \udcff", "x" * 7000]
)
async def test_a_call_without_a_valid_token_is_refused(bergen: PlatformClient, authorization: str) -> None:
    headers = await bergen.headers(Authorization=authorization)

    assert await status_and_message(bergen, headers) == (401, BAD_TOKEN)


async def test_an_expired_token_is_refused(bergen: PlatformClient) -> None:
    headers = await bergen.headers()

    bergen.fiks.clock.advance(timedelta(seconds=121))

    assert await status_and_message(bergen, headers) == (401, BAD_TOKEN)
    assert await status_and_message(bergen, await bergen.headers()) == (200, "")


async def test_a_token_that_someone_else_signed_is_refused(
    bergen: PlatformClient, other_key: rsa.RSAPrivateKey
) -> None:
    _, claims, _ = (await bergen.token()).split(".")
    forged = sign({"alg": "RS256"}, json.loads(base64.urlsafe_b64decode(claims + "==")), other_key)

    headers = await bergen.headers(Authorization=f"Bearer {forged}")

    assert await status_and_message(bergen, headers) == (401, BAD_TOKEN)


async def test_a_token_restricted_to_another_audience_is_refused(bergen: PlatformClient) -> None:
    elsewhere = await bergen.headers(Authorization=f"Bearer {await bergen.token(resource='https://other.example')}")
    here = await bergen.headers(Authorization=f"Bearer {await bergen.token(resource=bergen.fiks.api_url)}")

    assert await status_and_message(bergen, elsewhere) == (401, BAD_TOKEN)
    assert await status_and_message(bergen, here) == (200, "")


@pytest.mark.parametrize("password", ["", "wrong", "æ" * 40, "\udcff"])
async def test_a_wrong_password_is_refused(bergen: PlatformClient, password: str) -> None:
    status, message = await status_and_message(bergen, await bergen.headers(IntegrasjonPassord=password))

    assert (status, message) == (401, f"{BAD_INTEGRATION} {bergen.party.integration.id}")


@pytest.mark.parametrize("integration_id", ["", "no uuid", "2f0c1c1e-6f0e-4e57-9c1d-3f6b3a5d7e01", "\udcff"])
async def test_an_unknown_integration_is_refused(bergen: PlatformClient, integration_id: str) -> None:
    status, message = await status_and_message(bergen, await bergen.headers(IntegrasjonId=integration_id))

    assert status == 401
    assert message.startswith(BAD_INTEGRATION)


async def test_the_integration_of_another_organisation_is_refused(bergen: PlatformClient) -> None:
    oslo = bergen.fiks.party("oslo").integration
    headers = await bergen.headers(IntegrasjonId=str(oslo.id), IntegrasjonPassord=oslo.password.get_secret_value())

    status, message = await status_and_message(bergen, headers)

    assert (status, message) == (401, f"{BAD_INTEGRATION} {oslo.id}")


async def amqp_refusal(client: PlatformClient, password: str) -> str:
    with pytest.raises(pika.exceptions.AMQPConnectionError) as refusal:
        await asyncio.to_thread(client.connect, password)
    return repr(refusal.value)


async def test_the_broker_refuses_what_the_api_refuses(bergen: PlatformClient) -> None:
    own = bergen.party.integration.password.get_secret_value()
    expired = await bergen.password()
    bergen.fiks.clock.advance(timedelta(seconds=121))

    for password in (expired, f"wrong {await bergen.token()}", own, f"{own} ", f"{own} a.b.c", await bergen.token()):
        assert "ACCESS_REFUSED" in await amqp_refusal(bergen, password)

    connection = await asyncio.to_thread(bergen.connect, await bergen.password())
    await asyncio.to_thread(connection.close)


async def test_the_broker_refuses_the_queue_of_another_account(fiks: Simulator, bergen: PlatformClient) -> None:
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refusal:
        await bergen.receive(account_id=fiks.party("oslo").account.id)

    assert refusal.value.reply_code == 403


async def test_the_broker_takes_a_password_with_a_space_in_it(bergen: PlatformClient) -> None:
    register = bergen.fiks.platform.world.register
    spaced = type(bergen.party.integration.password)("two words")
    register.add(replace(bergen.party.integration, password=spaced))

    connection = await asyncio.to_thread(bergen.connect, f"two words {await bergen.token()}")
    await asyncio.to_thread(connection.close)
