"""The platform's JSON answers, with the member names as the platform spells them."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

__all__ = [
    "AccountAnswer",
    "AccountStatus",
    "Answer",
    "BydelAnswer",
    "DocumentMetadata",
    "EncryptionKey",
    "EncryptionKeys",
    "ErrorAnswer",
    "KommuneAnswer",
    "OAuthError",
    "PublicKey",
    "QueueStatus",
    "SentAnswer",
    "StatusAnswer",
    "Submitted",
    "TokenAnswer",
]


class Answer(BaseModel):
    """One JSON answer."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    def to_json(self) -> str:
        """The answer as JSON."""
        return self.model_dump_json(by_alias=True)


class AccountStatus(Answer):
    """Whether an account can be used now, and how many consume from its queue (contract section 4)."""

    gyldig_avsender: bool
    gyldig_mottaker: bool
    melding: str | None
    antall_konsumenter: int


class QueueStatus(AccountStatus):
    """The same with how many messages wait."""

    antall_uavhentede_meldinger: int


class AccountAnswer(Answer):
    """An account in the catalog (contract section 4)."""

    fiks_org_id: UUID
    fiks_org_navn: str
    organisasjonsnummer: str
    kommunenummer: str | None
    konto_id: UUID
    konto_navn: str
    status: AccountStatus


class _Dated(Answer):
    nokkel: str
    valid_from: str
    valid_to: str
    serial: str
    subject_dn: str
    issuer_dn: str

    model_config = ConfigDict(alias_generator=lambda name: to_camel(name).replace("Dn", "DN"))


class PublicKey(_Dated):
    """An account's certificate in the catalog (contract section 4); `nokkel` is PEM."""

    valid: bool
    status_message: str | None


class SentAnswer(Answer):
    """What was sent (contract section 5)."""

    melding_id: UUID
    melding_type: str
    avsender_konto_id: UUID
    mottaker_konto_id: UUID
    ttl: int
    dokumentlager_id: UUID | None
    svar_pa_melding: UUID | None
    headere: dict[str, str]


class DocumentMetadata(Answer):
    """A document in the document store (contract section 7); `ttl` is its last moment, in epoch milliseconds."""

    dokument_id: UUID
    dokumentnavn: str
    mimetype: str
    storrelse: int
    sha256: str
    ttl: int


class BydelAnswer(Answer):
    """A district (contract section 10). Version 1 of the API has no `stottetVersjon`."""

    bydelsnummer: str
    bydelsnavn: str
    standard_mottaker: bool
    stottet_versjon: str


class KommuneAnswer(Answer):
    """A municipality and its districts (contract section 10); none when it has not joined."""

    kommunenr: str
    navn: str
    bydeler: list[BydelAnswer]


class EncryptionKey(_Dated):
    """A certificate that reports are sealed for (contract section 10). Version 1 of the API has no `gyldig`."""

    gyldig: bool


class EncryptionKeys(Answer):
    """Both certificates that a district's reports are sealed for (contract section 10)."""

    model_config = ConfigDict(alias_generator=lambda name: to_camel(name).replace("Io", "IO"))

    print_offentlig_nokkel: EncryptionKey
    fiks_io_offentlig_nokkel: EncryptionKey


class Submitted(Answer):
    """A report was taken (contract section 10)."""

    uuid: UUID


class StatusAnswer(Answer):
    """One state that a report has come to (contract section 10)."""

    bekymringsmelding_id: UUID
    tidspunkt: str
    tilstand: str
    beskrivelse: str


class ErrorAnswer(Answer):
    """What went wrong (contract section 3); `timestamp` is in epoch milliseconds."""

    timestamp: int
    status: int
    error: str
    error_id: UUID
    path: str
    message: str


class TokenAnswer(BaseModel):
    """An access token (RFC 6749, 5.1); `expires_in` is in seconds."""

    model_config = ConfigDict(frozen=True)

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class OAuthError(BaseModel):
    """Why there is no access token (RFC 6749, 5.2)."""

    model_config = ConfigDict(frozen=True)

    error: str
    error_description: str
    error_uri: str | None = None
