"""Whatever text is sent, the answer is a refusal, never a failure."""

import json
import time
from contextlib import suppress
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiksmelding.simulator import Keys, Refusal, SimulatorClock
from fiksmelding.simulator.accounts import Client, Register
from fiksmelding.simulator.assertions import AssertionRules
from fiksmelding.simulator.exchange import SendMetadata
from fiksmelding.simulator.pki import Authority
from fiksmelding.simulator.refusals import OAuthRefusal
from fiksmelding.simulator.tokens import Tokens
from support.platform_client import encode, sign, x5c

ISSUER = "http://127.0.0.1/maskinporten/"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
CLAIM_NAMES = ["aud", "iss", "scope", "iat", "exp", "jti", "resource", "consumer_org"]


@pytest.fixture(scope="module")
def keys(authority: Authority) -> Keys:
    return Keys(authority)


@pytest.fixture(scope="module")
def rules(keys: Keys) -> AssertionRules:
    register = Register()
    register.add(Client("client", "974760673"))
    return AssertionRules(register, roots=[keys.authority.root.certificate], issuer=ISSUER, clock=SimulatorClock())


@pytest.fixture(scope="module")
def tokens(keys: Keys) -> Tokens:
    return Tokens(issuer=ISSUER, key=keys.token_key(), audience="http://127.0.0.1", clock=SimulatorClock())


@given(text=st.text() | st.from_regex(r"\A[A-Za-z0-9_-]{1,20}\.[A-Za-z0-9_-]{1,20}\.[A-Za-z0-9_-]{1,20}\Z"))
def test_any_text_as_assertion_or_token_is_refused(rules: AssertionRules, tokens: Tokens, text: str) -> None:
    with pytest.raises(OAuthRefusal):
        rules.check(text)
    with pytest.raises(Refusal):
        tokens.check(text)


@given(header=JSON, claims=JSON)
def test_any_json_in_an_assertion_or_token_is_refused(
    rules: AssertionRules, tokens: Tokens, header: object, claims: object
) -> None:
    text = ".".join(encode(json.dumps(part).encode()) for part in (header, claims)) + ".AAAA"
    with pytest.raises(OAuthRefusal):
        rules.check(text)
    with pytest.raises(Refusal):
        tokens.check(text)


@settings(deadline=None)  # The first example makes a key, which takes as long as it takes.
@given(claims=st.dictionaries(st.sampled_from(CLAIM_NAMES), JSON))
def test_any_claims_rightly_signed_are_checked_without_failing(
    rules: AssertionRules, keys: Keys, claims: dict[str, object]
) -> None:
    credential = keys.business("974760673", "Bergen skole (test)")
    header = {"alg": "RS256", "x5c": x5c(credential)}
    right = {
        "aud": ISSUER,
        "iss": "client",
        "scope": "ks:fiks",
        "iat": int(time.time()),
        "exp": int(time.time()) + 60,
        "jti": str(uuid4()),
    }
    with suppress(OAuthRefusal):
        rules.check(sign(header, {**right, **claims}, credential.key))


@given(header=st.dictionaries(st.sampled_from(["alg", "x5c", "kid", "b64", "crit", "jwk", "jku"]), JSON))
def test_any_header_rightly_signed_is_checked_without_failing(
    rules: AssertionRules, tokens: Tokens, keys: Keys, header: dict[str, object]
) -> None:
    credential = keys.business("974760673", "Bergen skole (test)")
    text = sign({"alg": "RS256", "x5c": x5c(credential), **header}, {"iss": "client"}, credential.key)
    with pytest.raises(OAuthRefusal):
        rules.check(text)
    with pytest.raises(Refusal):
        tokens.check(text)


@given(claims=JSON)
def test_a_token_that_we_signed_ourselves_with_odd_claims_is_refused(
    tokens: Tokens, keys: Keys, claims: object
) -> None:
    signed = {"alg": "RS256"}
    text = sign(signed, claims if isinstance(claims, dict) else {"exp": claims, "iss": ISSUER}, keys.token_key())
    with pytest.raises(Refusal):
        tokens.check(text)


@given(data=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_as_metadata_are_refused(data: bytes) -> None:
    with pytest.raises(Refusal):
        SendMetadata.parse(data)


@given(
    headere=st.dictionaries(st.text(max_size=120), st.text(), max_size=4),
    meldingstype=st.text(max_size=300),
    ttl=st.integers() | st.floats() | st.none(),
)
def test_metadata_taken_can_travel_over_amqp(headere: dict[str, str], meldingstype: str, ttl: float | None) -> None:
    data = {
        "avsenderKontoId": str(uuid4()),
        "mottakerKontoId": str(uuid4()),
        "meldingType": meldingstype,
        "headere": headere,
        "ttl": ttl,
    }
    with suppress(Refusal):
        taken = SendMetadata.parse(json.dumps(data).encode())
        assert all(len(f"egendefinert-header.{name}".encode()) <= 128 for name in taken.headere or {})
        assert taken.ttl is None or 1000 <= taken.ttl < 2**32
