"""The catalog: accounts and their public keys (contract section 4)."""

import re
from collections import OrderedDict
from datetime import datetime
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from fiksmelding.errors import NotFound, PlatformUnavailable, RequestRefused
from fiksmelding.fiks.session import FiksSession

BASE = "/fiks-io/katalog/api/v1"
IDENTIFIER = re.compile(r"[A-Z_]+\.[0-9]+")
CACHE_SECONDS = 600.0
CACHE_SIZE = 100


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)


class AccountStatus(_Model):
    """What an account may do.

    Attributes:
        gyldig_avsender: It may send.
        gyldig_mottaker: It may receive.
        melding: The platform's explanation when one of them is false.
    """

    gyldig_avsender: bool
    gyldig_mottaker: bool
    melding: str | None = None


class QueueStatus(AccountStatus):
    """What an account may do, and how its queue is.

    Attributes:
        antall_konsumenter: How many consume from its queue now.
        antall_uavhentede_meldinger: How many messages wait in it.
    """

    antall_konsumenter: int
    antall_uavhentede_meldinger: int


class Account(_Model):
    """A Fiks IO account (konto).

    Attributes:
        konto_id: Its id.
        konto_navn: Its display name.
        fiks_org_id: The Fiks organisation that owns it.
        fiks_org_navn: That organisation's name.
        organisasjonsnummer: Its organisation number.
        kommunenummer: Its municipality number, if it is one.
        status: What it may do.
    """

    konto_id: UUID
    konto_navn: str | None = None
    fiks_org_id: UUID | None = None
    fiks_org_navn: str | None = None
    organisasjonsnummer: str | None = None
    kommunenummer: str | None = None
    status: AccountStatus | None = None


class _PublicKey(_Model):
    nokkel: str
    valid: bool = True


class Catalog:
    """Looks up accounts and keys. Keys are cached for ten minutes.

    KS's own advice: the catalog is a convenience. For secrecy against the platform itself, compare the certificate
    with one received by another way.

    Args:
        session: An open session; not closed here.
    """

    def __init__(self, session: FiksSession) -> None:
        self._session = session
        self._keys: OrderedDict[UUID, tuple[float, x509.Certificate]] = OrderedDict()

    async def lookup(self, identifikator: str, *, melding_protokoll: str, sikkerhetsniva: int) -> Account:
        """Find the account that takes messages of a protocol.

        Args:
            identifikator: For example `ORG_NO.964338531`.
            melding_protokoll: For example `no.ks.fiks.bekymringsmelding.v2`.
            sikkerhetsniva: Security level, 1 to 4.

        Raises:
            NotFound: No account takes the protocol.
            RequestRefused: An argument is none of the above.
            PlatformError: As for any call.
        """
        if not IDENTIFIER.fullmatch(identifikator) or not 1 <= sikkerhetsniva <= 4:
            raise RequestRefused(
                "A look-up takes an identifier like ORG_NO.<nine digits> and a security level from 1 to 4."
            )
        answer = await self._session.request(
            "GET",
            f"{BASE}/lookup",
            query={
                "identifikator": identifikator,
                "meldingProtokoll": melding_protokoll,
                "sikkerhetsniva": str(sikkerhetsniva),
            },
            repeatable=True,
        )
        return answer.read_as(Account)

    async def account(self, konto_id: UUID) -> Account:
        """An account by its id.

        Raises:
            NotFound: There is no such account.
            PlatformError: As for any call.
        """
        answer = await self._session.request("GET", f"{BASE}/kontoer/{konto_id}", repeatable=True)
        return answer.read_as(Account)

    async def queue(self, konto_id: UUID) -> QueueStatus:
        """How an account and its queue are now.

        Raises:
            NotFound: There is no such account.
            PlatformError: As for any call.
        """
        answer = await self._session.request("GET", f"{BASE}/kontoer/{konto_id}/status", repeatable=True)
        return answer.read_as(QueueStatus)

    async def public_key(self, konto_id: UUID) -> x509.Certificate:
        """The certificate to seal for: an RSA key, in force now.

        Raises:
            NotFound: The account has no key, or none that is in force.
            PlatformError: As for any call.
        """
        certificate = self._cached(konto_id) or await self._fetch(konto_id)
        _check_in_force(certificate, self._session.clock.now(), konto_id)
        return certificate

    def _cached(self, konto_id: UUID) -> x509.Certificate | None:
        fetched, certificate = self._keys.get(konto_id, (float("-inf"), None))
        return certificate if self._session.clock.monotonic() - fetched < CACHE_SECONDS else None

    async def _fetch(self, konto_id: UUID) -> x509.Certificate:
        path = f"{BASE}/kontoer/{konto_id}/offentligNokkel"
        answer = await self._session.request("GET", path, repeatable=True, authenticated=False)
        key = answer.read_as(_PublicKey)
        if not key.valid:
            raise NotFound(
                f"The catalog marks the public key of account {konto_id} as invalid.",
                path=path,
                advice="Its owner must upload a new one.",
            )
        certificate = _parse(key.nokkel, konto_id, path)
        self._keys[konto_id] = (self._session.clock.monotonic(), certificate)
        self._keys.move_to_end(konto_id)
        while len(self._keys) > CACHE_SIZE:
            self._keys.popitem(last=False)
        return certificate


def _parse(pem: str, konto_id: UUID, path: str) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = certificate.public_key()
    except ValueError as error:
        raise PlatformUnavailable(
            f"The catalog's answer for account {konto_id} holds no certificate.", path=path
        ) from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotFound(f"The public key of account {konto_id} is not an RSA key.", path=path)
    return certificate


def _check_in_force(certificate: x509.Certificate, now: datetime, konto_id: UUID) -> None:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= now <= last:
        raise NotFound(
            f"The public key of account {konto_id} is in force from {first:%Y-%m-%d} to {last:%Y-%m-%d} only.",
            advice="Its owner must upload a new one.",
        )
