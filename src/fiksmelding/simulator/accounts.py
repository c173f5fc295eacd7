"""Who is on the platform: organisations, their clients and integrations, and the accounts with their rights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

__all__ = ["Account", "Client", "Integration", "Organisation", "Register"]


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation on Fiks.

    Attributes:
        id: Its `fiksOrgId`.
        number: Its organisation number, nine digits.
        name: Its name.
    """

    id: UUID
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Client:
    """A client at Maskinporten.

    Attributes:
        id: The client id, an assertion's `iss`.
        organisation: Organisation number of its owner.
        scopes: The scopes it may ask for.
        keys: Its registered keys by `kid`. A client without any signs with its owner's business certificate.
        delegated_by: Organisation numbers that let this client's owner act for them (`consumer_org`).
    """

    id: str
    organisation: str
    scopes: frozenset[str] = frozenset({"ks:fiks"})
    keys: Mapping[str, rsa.RSAPublicKey] = field(default_factory=dict)
    delegated_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Integration:
    """The credential by which an organisation lets a system act for it.

    Attributes:
        id: The `IntegrasjonId`.
        password: The `IntegrasjonPassord`.
        organisation: Organisation number that a token's `consumer` must name.
        accounts: The accounts it may read from and send as.
        submits_for: Fiks organisation ids it may submit reports for (contract section 10).
    """

    id: UUID
    password: SecretStr
    organisation: str
    accounts: frozenset[UUID] = frozenset()
    submits_for: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """A Fiks IO account (konto): one queue, one public key.

    Attributes:
        id: Its `kontoId`.
        name: Its `kontoNavn`.
        organisation: Who owns it.
        certificate: What messages to it are sealed for; None while its owner has uploaded none.
        kommunenummer: The municipality's number, when the owner is one.
        protocols: The protocols (`meldingProtokoll`) it understands.
        valid_sender: `gyldigAvsender`.
        valid_recipient: `gyldigMottaker`.
    """

    id: UUID
    name: str
    organisation: Organisation
    certificate: x509.Certificate | None
    kommunenummer: str | None = None
    protocols: frozenset[str] = frozenset()
    valid_sender: bool = True
    valid_recipient: bool = True

    @property
    def queue(self) -> str:
        """The name of its queue (contract section 6)."""
        return queue_of(self.id)


def queue_of(account_id: UUID) -> str:
    """The name of an account's queue."""
    return f"fiksio.konto.{account_id}"


@dataclass(slots=True)
class Register:
    """All that is registered, by id. Entries are immutable; replace one to change it."""

    clients: dict[str, Client] = field(default_factory=dict)
    integrations: dict[UUID, Integration] = field(default_factory=dict)
    accounts: dict[UUID, Account] = field(default_factory=dict)

    def add(self, entry: Client | Integration | Account) -> None:
        """Register an entry, or replace the one of the same id."""
        match entry:
            case Client():
                self.clients[entry.id] = entry
            case Integration():
                self.integrations[entry.id] = entry
            case Account():
                self.accounts[entry.id] = entry

    def supporting(self, organisation: str, protocol: str) -> Account | None:
        """The account of an organisation (by number) that understands a protocol."""
        return next(
            (
                account
                for account in self.accounts.values()
                if account.organisation.number == organisation and protocol in account.protocols
            ),
            None,
        )
