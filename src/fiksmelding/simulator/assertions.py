"""What Maskinporten demands of an assertion (contract section 3, RFC 7523): every check, and its words for each no."""

import base64
import binascii
import json
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError
from jwcrypto import jwk, jws
from jwcrypto.common import JWException, base64url_decode
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fiksmelding.simulator.accounts import Client, Register
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.refusals import OAuthRefusal
from fiksmelding.simulator.state import NOWHERE, State

__all__ = ["Assertion", "AssertionRules"]

LONGEST = timedelta(seconds=120)
SKEW = timedelta(seconds=10)
LONGEST_CHAIN = 10
KIND = "jti"
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
REFUSED = "Invalid assertion. Client authentication failed."


class _Header(BaseModel):
    alg: str
    x5c: list[str] | None = Field(default=None, min_length=1, max_length=LONGEST_CHAIN)
    kid: str | None = None


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True)

    iss: str
    aud: str | list[str]
    scope: str
    iat: int = Field(ge=0, lt=2**53)
    exp: int = Field(ge=0, lt=2**53)
    jti: str = Field(min_length=1, max_length=255)
    resource: str | list[str] | None = None
    consumer_org: str | None = None


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that passed every check.

    Attributes:
        client: Who asks.
        scope: The scopes asked for, separated by spaces.
        resources: The audience restriction; empty for none.
        consumer: Organisation number the token is to be for.
        method: How the client proved itself: `virksomhetssertifikat` or `private_key_jwt`.
    """

    client: Client
    scope: str
    resources: tuple[str, ...]
    consumer: str
    method: str


class AssertionRules:
    """Checks assertions; remembers each `jti` until its assertion has expired, so that none is used twice.

    Args:
        register: Where clients are looked up.
        roots: The root certificates that a business certificate must chain to.
        issuing: Certificates of those who issue them, so that one may come without its chain, as KS's client sends it.
        issuer: The issuer's URL, which `aud` must be.
        clock: The simulator's time.
    """

    def __init__(
        self,
        register: Register,
        *,
        roots: Sequence[x509.Certificate],
        issuing: Sequence[x509.Certificate] = (),
        issuer: str,
        clock: SimulatorClock,
        state: State = NOWHERE,
    ) -> None:
        self._register = register
        self._roots = list(roots)
        self._issuing = list(issuing)
        self._issuer = issuer
        self._clock = clock
        self._state = state
        self._used: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        for item in state.all(KIND):
            issuer_of_it, jti = json.loads(item.id)
            self._used[issuer_of_it, jti] = datetime.fromisoformat(item.data)

    def check(self, token: str) -> Assertion:
        """Check an assertion in compact serialisation.

        Raises:
            OAuthRefusal: It fails a check.
        """
        header, claims = _parse(token)
        client = self._register.clients.get(claims.iss)
        if client is None:
            raise OAuthRefusal("invalid_grant", f"{REFUSED} Client not found.", code="MP-100")
        key, method = self._key(header, client)
        _verify_signature(token, key)
        self._check_times(claims)
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if audiences != [self._issuer]:
            raise OAuthRefusal("invalid_grant", f"{REFUSED} Invalid JWT claim aud.", code="MP-110")
        scopes = claims.scope.split()
        if not scopes or not client.scopes.issuperset(scopes):
            raise OAuthRefusal("invalid_scope", "Token request contains invalid scopes for client.", code="MP-200")
        consumer = _consumer(claims, client)
        self._use(claims)
        resources = (claims.resource,) if isinstance(claims.resource, str) else tuple(claims.resource or ())
        return Assertion(client, " ".join(scopes), resources, consumer, method)

    def _now(self) -> datetime:
        """The real time: clients stamp `iat` and `exp` by it, however far the simulator's clock was pushed forward."""
        return self._clock.now() - self._clock.offset

    def _key(self, header: _Header, client: Client) -> tuple[rsa.RSAPublicKey, str]:
        if client.keys:
            if header.kid is None:
                raise OAuthRefusal(
                    "invalid_grant",
                    f"{REFUSED} Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) "
                    "provided.",
                )
            if header.kid not in client.keys:
                raise OAuthRefusal("invalid_grant", f"{REFUSED} Invalid JWT. Unknown key identifier (kid).")
            return client.keys[header.kid], "private_key_jwt"
        if header.x5c is None:
            raise OAuthRefusal("invalid_grant", f"{REFUSED} Invalid JWT header x5c.", code="MP-123")
        return self._certified_key(header.x5c, client), "virksomhetssertifikat"

    def _certified_key(self, x5c: Sequence[str], client: Client) -> rsa.RSAPublicKey:
        try:
            leaf, *others = [x509.load_der_x509_certificate(base64.b64decode(one, validate=True)) for one in x5c]
            key = leaf.public_key()
            numbers = [attribute.value for attribute in leaf.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
        except (binascii.Error, ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
            raise OAuthRefusal("invalid_grant", f"{REFUSED} Invalid JWT header x5c.", code="MP-123") from error
        verifier = (
            PolicyBuilder()
            .store(Store(self._roots))
            .time(self._now())
            .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all())
            .build_client_verifier()
        )
        try:
            verifier.verify(leaf, [*others, *self._issuing])
        except VerificationError as error:
            text = f"{REFUSED} The JWT is signed with an invalid certificate."
            raise OAuthRefusal("invalid_grant", text, code="MP-120") from error
        if client.organisation not in numbers or not isinstance(key, rsa.RSAPublicKey):
            text = f"{REFUSED} Invalid JWT. Invalid organization number for client. Does not match certificate orgno."
            raise OAuthRefusal("invalid_grant", text, code="MP-122")
        return key

    def _check_times(self, claims: _Claims) -> None:
        now = self._now().timestamp()
        if claims.iat > now + SKEW.total_seconds():
            raise OAuthRefusal("invalid_grant", f"{REFUSED} Invalid JWT. Issue time is after now.")
        if claims.exp <= now:
            raise OAuthRefusal("invalid_grant", f"{REFUSED} JWT is expired.", code="MP-130")
        if not 0 < claims.exp - claims.iat <= LONGEST.total_seconds():
            raise OAuthRefusal(
                "invalid_grant", f"{REFUSED} Invalid JWT. exp must be after iat, by at most 120 seconds."
            )

    def _use(self, claims: _Claims) -> None:
        now = self._now()
        while self._used and next(iter(self._used.values())) <= now:
            forgotten, _ = self._used.popitem(last=False)
            self._state.remove(KIND, json.dumps(forgotten))
        once = (claims.iss, claims.jti)
        if once in self._used:
            raise OAuthRefusal(
                "invalid_grant", "Validation of JWT Bearer grant failed. Grant is used before.", code="MP-012"
            )
        # Dated by its longest possible life rather than its own `exp`, so that the oldest stands first.
        self._used[once] = now + LONGEST + SKEW
        self._state.put(KIND, json.dumps(once), self._used[once].isoformat())


def _parse(token: str) -> tuple[_Header, _Claims]:
    """Read without believing: the signature is checked afterwards."""
    if not COMPACT.fullmatch(token):
        raise OAuthRefusal("invalid_request", "Invalid assertion. Invalid parameter value.", code="MP-011")
    encoded_header, encoded_claims, _ = token.split(".")
    try:
        header = _Header.model_validate_json(base64url_decode(encoded_header))
        claims = _Claims.model_validate_json(base64url_decode(encoded_claims))
    except ValidationError as error:
        names = sorted({str(one["loc"][0]) for one in error.errors(include_input=False) if one["loc"]})
        text = f"{REFUSED} Invalid JWT. Missing or invalid: {', '.join(names) or 'JSON'}."
        raise OAuthRefusal("invalid_grant", text) from None
    except ValueError:
        raise OAuthRefusal("invalid_request", "Invalid assertion. Invalid parameter value.", code="MP-011") from None
    if header.alg != "RS256":
        raise OAuthRefusal("invalid_grant", f"{REFUSED} Invalid JWT. Only RS256 is supported.")
    return header, claims


def _verify_signature(token: str, key: rsa.RSAPublicKey) -> None:
    signed = jws.JWS()
    signed.allowed_algs = ["RS256"]
    try:
        signed.deserialize(token, jwk.JWK.from_pyca(key))
    except (JWException, ValueError) as error:
        raise OAuthRefusal("invalid_grant", f"{REFUSED} Invalid JWT signature.", code="MP-124") from error


def _consumer(claims: _Claims, client: Client) -> str:
    consumer = claims.consumer_org
    if consumer is None:
        return client.organisation
    if consumer == client.organisation:
        raise OAuthRefusal(
            "invalid_request",
            "Validation of JWT claim failed: The combination consumer_org in claim and delegation scope on client is "
            "invalid.",
        )
    if consumer not in client.delegated_by:
        text = f"Consumer has not delegated access to the scope {claims.scope} to supplier {client.organisation}."
        raise OAuthRefusal("invalid_grant", text, code="MP-251")
    return consumer
