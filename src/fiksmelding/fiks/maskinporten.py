"""Access tokens from Maskinporten by the JWT bearer grant (RFC 7523; contract section 3)."""

import asyncio
import base64
import logging
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from yarl import URL

from fiksmelding.clock import Clock
from fiksmelding.config import MaskinportenSettings
from fiksmelding.errors import AccessRefused, PlatformError, SettingsError
from fiksmelding.fiks.answers import Refusal, unavailable
from fiksmelding.fiks.transport import Call, Transport

log = logging.getLogger(__name__)

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 100
MARGIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token is asked for; tokens are cached by it.

    Attributes:
        scope: Requested scope.
        resource: Audience restriction, or None.
        consumer_org: Organisation number we act on behalf of, or None.
    """

    scope: str
    resource: str | None = None
    consumer_org: str | None = None

    @classmethod
    def of(cls, settings: MaskinportenSettings) -> Self:
        """The claims of the settings."""
        return cls(scope=settings.scope, resource=settings.resource, consumer_org=settings.consumer_org)


class _TokenAnswer(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access_token: SecretStr = Field(min_length=1)
    expires_in: float = Field(gt=0)


@dataclass(frozen=True, slots=True)
class _Token:
    value: SecretStr
    fetched: float
    usable_until: float


@dataclass(slots=True)
class _Slot:
    token: _Token | None = None
    fetch: asyncio.Task[_Token] | None = None


@dataclass(frozen=True, slots=True)
class _Signer:
    key: JWK = field(repr=False)
    header: dict[str, str | list[str]] = field(repr=False)

    @classmethod
    def of(cls, settings: MaskinportenSettings) -> Self:
        """Read key and certificate. Reads files: call it in a thread."""
        pem = _read(settings.private_key, "maskinporten.private_key")
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise SettingsError("maskinporten.private_key is no unencrypted private key in PEM format.") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise SettingsError("maskinporten.private_key is no RSA key, which RS256 asks for.")
        return cls(JWK.from_pem(pem), {"alg": "RS256", **_identification(settings, key)})

    def assertion(self, claims: dict[str, str | int]) -> str:
        """The signed JWT in compact form."""
        token = JWT(header=self.header, claims=claims)
        token.make_signed_token(self.key)
        return str(token.serialize())


class Maskinporten:
    """Fetches access tokens and keeps them until shortly before they expire.

    However many ask at once, one request per set of claims is under way.

    Args:
        settings: Issuer, client and key.
        transport: An open transport; not closed here.
        clock: Where times come from.
    """

    def __init__(self, settings: MaskinportenSettings, transport: Transport, *, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._signer: _Signer | None = None
        self._slots: dict[Claims, _Slot] = {}

    async def __aenter__(self) -> Self:
        self._signer = await asyncio.to_thread(_Signer.of, self._settings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pending = [slot.fetch for slot in self._slots.values() if slot.fetch is not None]
        for fetch in pending:
            fetch.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        self._slots.clear()

    async def token(self, claims: Claims | None = None, *, max_age: float | None = None) -> SecretStr:
        """An access token with some seconds of validity left.

        Args:
            claims: What to ask for; the settings' when None.
            max_age: Fetch anew when the cached token was fetched more than this many seconds ago.

        Raises:
            AccessRefused: Maskinporten refuses client, key or scope.
            PlatformUnavailable: It gave no usable answer, also when asked several times.
        """
        wanted = claims or Claims.of(self._settings)
        slot = self._slots.setdefault(wanted, _Slot())
        if slot.token is not None and self._good(slot.token, max_age):
            return slot.token.value
        if slot.fetch is None:
            slot.fetch = asyncio.create_task(self._fetch(wanted), name="fiksmelding-token")
            slot.fetch.add_done_callback(lambda done: _settle(slot, done))
        # Shielded: one who gives up waiting must not take the token from the others.
        return (await asyncio.shield(slot.fetch)).value

    def drop(self, token: SecretStr) -> None:
        """Forget `token` because it was refused; a newer one, fetched meanwhile, stays."""
        for slot in self._slots.values():
            if slot.token is not None and slot.token.value == token:
                slot.token = None

    def _good(self, token: _Token, max_age: float | None) -> bool:
        now = self._clock.monotonic()
        return now < token.usable_until and (max_age is None or now - token.fetched <= max_age)

    async def _fetch(self, claims: Claims) -> _Token:
        asked = self._clock.monotonic()
        call = Call(
            method="POST",
            url=token_url(self._settings),
            body=lambda: aiohttp.FormData({"grant_type": GRANT, "assertion": self._assertion(claims)}),
            refused=_refused,
        )
        # A repeat is safe: each attempt makes an assertion of its own, and a token too many harms nobody.
        answer = await self._transport.repeat(lambda: self._transport.once(call, {}), repeatable=True)
        read = answer.read_as(_TokenAnswer)
        margin = min(MARGIN_SECONDS, read.expires_in / 4)
        log.info("new access token for scope %s, valid for %.0f s", claims.scope, read.expires_in)
        return _Token(read.access_token, asked, asked + read.expires_in - margin)

    def _assertion(self, claims: Claims) -> str:
        if self._signer is None:
            raise PlatformError("The session is not open: use it in `async with`.")
        issued = int(self._clock.now().timestamp())
        content: dict[str, str | int] = {
            "aud": self._settings.issuer,
            "iss": self._settings.client_id,
            "scope": claims.scope,
            "iat": issued,
            "exp": issued + ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        if claims.resource:
            content["resource"] = claims.resource
        if claims.consumer_org:
            content["consumer_org"] = claims.consumer_org
        return self._signer.assertion(content)


def token_url(settings: MaskinportenSettings) -> URL:
    """The token endpoint: as configured, or `<issuer>token`."""
    return URL(settings.token_url or f"{settings.issuer.rstrip('/')}/token")


def _settle(slot: _Slot, done: asyncio.Task[_Token]) -> None:
    slot.fetch = None
    # Asking for the exception also marks it as seen, for when nobody waits any more.
    if not done.cancelled() and done.exception() is None:
        slot.token = done.result()


def _refused(refusal: Refusal) -> PlatformError:
    if refusal.status == 429 or refusal.status >= 500:
        return unavailable(refusal)
    reason = refusal.code("error") or "no reason given"
    return AccessRefused(
        f"Maskinporten answered {refusal.status}: {reason}.",
        status=refusal.status,
        path=refusal.path,
        advice="Check maskinporten.client_id, scope, key and certificate, and this machine's clock.",
    )


def _identification(settings: MaskinportenSettings, key: rsa.RSAPrivateKey) -> dict[str, str | list[str]]:
    if settings.key_id is not None and settings.certificate is None:
        return {"kid": settings.key_id}
    if settings.certificate is None or settings.key_id is not None:
        raise SettingsError("Set either maskinporten.certificate or maskinporten.key_id.")
    try:
        chain = x509.load_pem_x509_certificates(_read(settings.certificate, "maskinporten.certificate"))
    except ValueError as error:
        raise SettingsError("maskinporten.certificate is no certificate in PEM format.") from error
    if chain[0].public_key() != key.public_key():
        raise SettingsError("maskinporten.certificate does not belong to maskinporten.private_key.")
    return {"x5c": [base64.b64encode(one.public_bytes(Encoding.DER)).decode("ascii") for one in chain]}


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{name} cannot be read: {error.strerror}.") from error
