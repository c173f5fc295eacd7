"""What the headers of a delivery say (contract section 6), read so that no header can do harm."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Self

CUSTOM = "egendefinert-header."
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# The platform's own header comes first: under the prefix a sender may write what it likes.
BYDEL_RESSURS_ID = ("bydel-ressurs-id", f"{CUSTOM}bydel-ressurs-id")
BEKYMRINGSMELDING_ID = ("bekymringsmelding-id", f"{CUSTOM}bekymringsmelding-id")
KLIENT_MELDING_ID = (
    f"{CUSTOM}klientMeldingId",
    f"{CUSTOM}klientmelding-id",
    "klientMeldingId",
    "klientmelding-id",
)
KLIENT_KORRELASJONS_ID = (
    f"{CUSTOM}klientKorrelasjonsId",
    f"{CUSTOM}klientKorrelasjonId",
    "klientKorrelasjonsId",
    "klientKorrelasjonId",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The headers of a delivery as text, as they came. Absent or empty is None.

    Attributes:
        melding_id: The message's id (UUID), new for every sending.
        melding_type: The message type, header `type`.
        avsender_id: The sender's account (UUID).
        avsender_navn: The sender's display name.
        svar_til: The `melding-id` this one answers.
        svar_til_type: On `tidsavbrudd`: the type of the message that timed out.
        dokumentlager_id: The body is not here but in the document store.
        bekymringsmelding_id: The report's own id.
        bydel_ressurs_id: The district's resource id.
        klient_melding_id: The sender's id, the same on every resend of one message.
        klient_korrelasjons_id: Copied unchanged into every answer of a dialogue.
        expiration_ms: TTL left, in milliseconds.
        headers: Every header, its value as text.
        missing: Required headers that are absent, empty, or not the UUID they must be.
    """

    melding_id: str | None
    melding_type: str | None
    avsender_id: str | None
    avsender_navn: str | None
    svar_til: str | None
    svar_til_type: str | None
    dokumentlager_id: str | None
    bekymringsmelding_id: str | None
    bydel_ressurs_id: str | None
    klient_melding_id: str | None
    klient_korrelasjons_id: str | None
    expiration_ms: int | None
    headers: Mapping[str, str]
    missing: tuple[str, ...]

    @classmethod
    def parse(cls, headers: Mapping[str, object] | None, *, expiration: object = None) -> Self:
        """Read the headers of a delivery. Never raises: what is missing is named in `missing`.

        Args:
            headers: The header table as the AMQP library decoded it.
            expiration: The property `expiration`: milliseconds as a string.
        """
        texts = {_text(name): _text(value) for name, value in (headers or {}).items()}

        def first(*names: str) -> str | None:
            return next((texts[name] for name in names if texts.get(name)), None)

        return cls(
            melding_id=first("melding-id"),
            melding_type=first("type"),
            avsender_id=first("avsender-id"),
            avsender_navn=first("avsender-navn"),
            svar_til=first("svar-til"),
            svar_til_type=first("svar-til-type"),
            dokumentlager_id=first("dokumentlager-id"),
            bekymringsmelding_id=first(*BEKYMRINGSMELDING_ID),
            bydel_ressurs_id=first(*BYDEL_RESSURS_ID),
            klient_melding_id=first(*KLIENT_MELDING_ID),
            klient_korrelasjons_id=first(*KLIENT_KORRELASJONS_ID),
            expiration_ms=_milliseconds(expiration),
            headers=MappingProxyType(texts),
            missing=_missing(texts),
        )


def _missing(texts: Mapping[str, str]) -> tuple[str, ...]:
    required = (("melding-id", True), ("type", False), ("avsender-id", True))
    return tuple(
        name for name, is_uuid in required if not texts.get(name) or (is_uuid and not UUID_TEXT.fullmatch(texts[name]))
    )


def _text(value: object) -> str:
    """Any AMQP field value (AMQP 0-9-1, 4.2.5.5) as text without NUL, which PostgreSQL cannot store."""
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray):
        text = bytes(value).decode("utf-8", errors="backslashreplace")
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, Mapping | list | tuple):
        text = _nested(value)
    else:
        text = str(value)
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def _nested(value: object) -> str:
    try:
        return json.dumps(_plain(value), ensure_ascii=False)
    except RecursionError:
        return "(nested too deep)"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {_text(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, bool | int) or value is None else _text(value)


def _milliseconds(value: object) -> int | None:
    text = _text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
