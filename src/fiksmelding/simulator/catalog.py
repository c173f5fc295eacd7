"""The catalog: who an account is, what it is sealed with, what waits for it (contract section 4)."""

import re
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fiksmelding.errors import BrokerUnavailable
from fiksmelding.simulator.accounts import Account, Register
from fiksmelding.simulator.answers import AccountAnswer, AccountStatus, PublicKey, QueueStatus
from fiksmelding.simulator.broker import Broker
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.resealing import Resealing, Whose

__all__ = ["Catalog", "certificate_fields"]

IDENTIFIER = re.compile(r"([A-Z_]+)\.([0-9]+)", re.ASCII)
LEVELS = frozenset({"1", "2", "3", "4"})


class Catalog:
    """Answers from the register.

    Args:
        register: Where accounts are looked up.
        broker: Where consumers and depths are counted.
        clock: The time by which a certificate is valid.
        resealing: Who has certificates that should not be believed.
    """

    def __init__(self, register: Register, broker: Broker, clock: SimulatorClock, resealing: Resealing) -> None:
        self._register = register
        self._broker = broker
        self._clock = clock
        self._resealing = resealing

    async def lookup(self, *, identifier: str, protocol: str, level: str) -> AccountAnswer:
        """The account that an organisation receives a protocol on.

        Raises:
            Refusal: 400 for what cannot be asked, 404 when there is no such account.
        """
        match = IDENTIFIER.fullmatch(identifier)
        if match is None:
            raise Refusal.bad_request("identifikator må være på formen ORG_NO.<9 siffer>")
        if not protocol:
            raise Refusal.bad_request("meldingProtokoll mangler")
        if level not in LEVELS:
            raise Refusal.bad_request("sikkerhetsniva må være fra 1 til 4")
        account = self._register.supporting(match[2], protocol) if match[1] == "ORG_NO" else None
        if account is None:
            raise Refusal.not_found("Fant ingen konto for identifikator og meldingsprotokoll")
        return await self._answer(account)

    async def account(self, account_id: UUID) -> AccountAnswer:
        """An account.

        Raises:
            Refusal: 404.
        """
        return await self._answer(self._find(account_id))

    def public_key(self, account_id: UUID, *, whose: Whose = "own") -> PublicKey:
        """The certificate that messages to an account are sealed for, or a wrong one in its place.

        Raises:
            Refusal: 404 when there is no such account, or it has no certificate.
        """
        certificate = self._find(account_id).certificate
        if certificate is None:
            raise Refusal.not_found(f"Konto med id {account_id} har ingen offentlig nøkkel")
        certificate = self._resealing.instead_of(certificate, whose)
        valid = certificate.not_valid_before_utc <= self._clock.now() <= certificate.not_valid_after_utc
        return PublicKey.model_validate(
            certificate_fields(certificate)
            | {"valid": valid, "statusMessage": None if valid else "Sertifikatet er ikke gyldig nå"}
        )

    async def status(self, account_id: UUID) -> QueueStatus:
        """Whether an account can be used, how many consume from its queue and how many messages wait.

        Raises:
            Refusal: 404.
            BrokerUnavailable: The broker does not answer.
        """
        account = self._find(account_id)
        self._broker.declare(account.queue)
        queue = await self._broker.state(account.queue)
        return QueueStatus(
            gyldig_avsender=account.valid_sender,
            gyldig_mottaker=account.valid_recipient,
            melding=_status_text(account),
            antall_konsumenter=queue.consumers,
            antall_uavhentede_meldinger=queue.waiting,
        )

    async def _answer(self, account: Account) -> AccountAnswer:
        return AccountAnswer(
            fiks_org_id=account.organisation.id,
            fiks_org_navn=account.organisation.name,
            organisasjonsnummer=account.organisation.number,
            kommunenummer=account.kommunenummer,
            konto_id=account.id,
            konto_navn=account.name,
            status=AccountStatus(
                gyldig_avsender=account.valid_sender,
                gyldig_mottaker=account.valid_recipient,
                melding=_status_text(account),
                antall_konsumenter=await self._consumers(account),
            ),
        )

    async def _consumers(self, account: Account) -> int:
        self._broker.declare(account.queue)
        try:
            return (await self._broker.state(account.queue)).consumers
        except BrokerUnavailable:
            return 0  # Nobody can consume now, and who the account is can be told all the same.

    def _find(self, account_id: UUID) -> Account:
        account = self._register.accounts.get(account_id)
        if account is None:
            raise Refusal.not_found(f"Fant ingen konto med id {account_id}")
        return account


def certificate_fields(certificate: x509.Certificate) -> dict[str, object]:
    """How the platform describes a certificate: PEM, validity, serial number and names."""
    return {
        "nokkel": certificate.public_bytes(Encoding.PEM).decode("ascii"),
        "validFrom": certificate.not_valid_before_utc.isoformat(),
        "validTo": certificate.not_valid_after_utc.isoformat(),
        "serial": str(certificate.serial_number),
        "subjectDN": certificate.subject.rfc4514_string(),
        "issuerDN": certificate.issuer.rfc4514_string(),
    }


def _status_text(account: Account) -> str:
    return "OK" if account.valid_sender and account.valid_recipient else "Kontoen kan ikke brukes nå"
