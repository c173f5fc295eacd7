"""Access tokens: signed JWTs that name the consumer's organisation number, as Maskinporten makes them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import rsa
from jwcrypto import jwk, jws
from jwcrypto.common import JWException
from pydantic import BaseModel, Field, ValidationError

from fiksmelding.simulator.answers import TokenAnswer
from fiksmelding.simulator.assertions import Assertion
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.refusals import Refusal

__all__ = ["FIKS_SCOPE", "LIFETIME", "AccessToken", "Tokens"]

FIKS_SCOPE = "ks:fiks"
LIFETIME = timedelta(seconds=120)
LONGEST_TOKEN = 16_384
LATEST_EXPIRY = 32_503_680_000  # The year 3000: later ones are no time of ours.
AUTHORITY = "iso6523-actorid-upis"
NORWEGIAN_ORGANISATION = "0192:"


class _Party(BaseModel):
    authority: str
    ID: str


class _Claims(BaseModel):
    iss: str
    exp: int = Field(ge=0, le=LATEST_EXPIRY)
    scope: str
    consumer: _Party
    aud: str | list[str] | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token that holds says.

    Attributes:
        consumer: Organisation number of whom the caller acts for.
        scopes: The scopes granted.
        expires_at: When it stops to count.
    """

    consumer: str
    scopes: frozenset[str]
    expires_at: datetime


class Tokens:
    """Makes access tokens and checks them.

    Args:
        issuer: The issuer's URL, the claim `iss`.
        key: What signs them.
        audience: The platform's own URL: a token restricted to another `resource` does not count here.
        clock: The simulator's time, by which tokens expire.
    """

    def __init__(self, *, issuer: str, key: rsa.RSAPrivateKey, audience: str, clock: SimulatorClock) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._key = jwk.JWK.from_pyca(key)
        self._public = jwk.JWK.from_pyca(key.public_key())
        self._key_id = self._public.thumbprint()

    def issue(self, assertion: Assertion, *, lifetime: timedelta = LIFETIME) -> TokenAnswer:
        """The token endpoint's answer to an assertion, which tells the usual lifetime whatever the true one is."""
        now = self._clock.now()
        claims: dict[str, object] = {
            "iss": self._issuer,
            "client_id": assertion.client.id,
            "client_amr": assertion.method,
            "token_type": "Bearer",
            "scope": assertion.scope,
            "consumer": _party(assertion.consumer),
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
            "jti": str(uuid4()),
        }
        if assertion.resources:
            claims["aud"] = list(assertion.resources)
        if assertion.consumer != assertion.client.organisation:
            claims["supplier"] = _party(assertion.client.organisation)
        return TokenAnswer(
            access_token=self._sign(claims),
            token_type="Bearer",  # noqa: S106 - a kind of token, not one
            expires_in=int(LIFETIME.total_seconds()),
            scope=assertion.scope,
        )

    def check(self, token: str) -> AccessToken:
        """Check a token as Fiks does.

        Raises:
            Refusal: It was not issued here, has expired, is for another audience or lacks the scope.
        """
        signed = jws.JWS()
        signed.allowed_algs = ["RS256"]
        try:
            if len(token) > LONGEST_TOKEN:
                raise Refusal.token()
            signed.deserialize(token, self._public)
            claims = _Claims.model_validate_json(signed.payload)
        except (JWException, ValidationError, ValueError) as error:
            raise Refusal.token() from error
        found = AccessToken(
            claims.consumer.ID.removeprefix(NORWEGIAN_ORGANISATION),
            frozenset(claims.scope.split()),
            datetime.fromtimestamp(claims.exp, UTC),
        )
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        holds = (
            claims.iss == self._issuer
            and found.expires_at > self._clock.now()
            and FIKS_SCOPE in found.scopes
            and (audiences is None or self._audience in audiences)
        )
        if not holds:
            raise Refusal.token()
        return found

    def public_keys(self) -> dict[str, list[dict[str, str]]]:
        """The key that tokens can be checked with, as a JWK set (RFC 7517)."""
        public = {str(name): str(value) for name, value in self._public.export_public(as_dict=True).items()}
        return {"keys": [{**public, "kid": self._key_id, "use": "sig", "alg": "RS256"}]}

    def _sign(self, claims: dict[str, object]) -> str:
        token = jws.JWS(json.dumps(claims))
        token.add_signature(self._key, protected=json.dumps({"alg": "RS256", "kid": self._key_id, "typ": "JWT"}))
        compact: str = token.serialize(compact=True)
        return compact


def _party(number: str) -> dict[str, str]:
    return {"authority": AUTHORITY, "ID": NORWEGIAN_ORGANISATION + number}
