"""What a sender should know before sending: what would be refused, and what a person would want to look at again.

Nothing here is used in receiving: there whatever the official schema accepts is accepted.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from fiksmelding.errors import Problem
from fiksmelding.messages.base import Field, FieldKind, Part, fields_of
from fiksmelding.messages.json_text import write_json
from fiksmelding.messages.municipalities import MUNICIPALITY_NUMBERS
from fiksmelding.messages.numbers import IdentityFault, identity_fault, is_organisation_number, is_synthetic
from fiksmelding.messages.parts import Foresatt, OffentligBarn
from fiksmelding.messages.validation import Place, pointer

__all__ = ["MAX_SUBMISSION_BYTES", "Advice", "advice_on", "problems_of"]

MAX_SUBMISSION_BYTES = 5 * 1024 * 1024
"""The most the platform takes in one submission, in bytes (contract section 10)."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to look at again before sending. It never stands in the way of it.

    Attributes:
        path: Where, as a JSON pointer (RFC 6901).
        code: What sort, such as `fnr-check-digits`: for programs.
        text: What, in plain bokmål: for the one who fills in the report. Holds no value from the report.
    """

    path: str
    code: str
    text: str


_TEXTS = {
    "empty": "Feltet er tomt.",
    "fnr-missing": "Fødselsnummeret mangler. La feltet stå tomt bare når nummeret er ukjent.",
    "fnr-form": "Et fødselsnummer eller D-nummer har elleve sifre.",
    "fnr-date": "Fødselsnummeret begynner ikke med en gyldig dato.",
    "fnr-check-digits": "Kontrollsifrene i fødselsnummeret stemmer ikke. Er det en skrivefeil?",
    "fnr-synthetic": "Dette er et oppdiktet testnummer, som ikke tilhører noen.",
    "unborn-with-fnr": "Barnet er meldt som ufødt, men har fødselsnummer.",
    "not-told-without-reason": "Skriv hvorfor barnet eller den foresatte ikke er orientert.",
    "orgnr": "Dette er ikke et gyldig organisasjonsnummer.",
    "kommunenummer": "Ingen kommune har dette nummeret nå.",
    "telefonnummer": "Dette ser ikke ut som et telefonnummer.",
    "postnummer": "Et norsk postnummer har fire sifre.",
    "epost": "Denne e-postadressen vil mange systemer ikke kunne sende til.",
    "no-children": "Meldingen gjelder ingen barn.",
    "unknown-member": "Det offisielle skjemaet har ikke dette feltet. Ikke alle fagsystemer tar vare på det.",
    "control-character": "Teksten inneholder usynlige styretegn.",
}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_LOCAL_TELEPHONE = re.compile(r"(?:\+47|0047)?[2-9]\d{7}", re.ASCII)
_FOREIGN_TELEPHONE = re.compile(r"(?:\+|00)[1-9]\d{6,14}", re.ASCII)
_POSTAL_CODE = re.compile(r"\d{4}", re.ASCII)
_EMAIL = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?", re.ASCII)
_STRICT_FORMS = {
    "kommunenummer": re.compile(r"\d{4}", re.ASCII),
    "bydelsnummer": re.compile(r"\d{2}", re.ASCII),
}


def problems_of(part: Part) -> tuple[Problem, ...]:
    """What the service would refuse in a message that the official schema accepts.

    The `jsonschema` library, and so our models, take a line end after a number and digits of other scripts; by the
    letter of JSON Schema (ECMA-262 patterns) neither is right. The time is to be ISO 8601 without zone (contract
    section 10).
    """
    return tuple(_problems(part))


def _problems(part: Part) -> Iterator[Problem]:
    for place, field, value in _texts(part, ()):
        if field.name in _STRICT_FORMS and not _STRICT_FORMS[field.name].fullmatch(value):
            yield Problem(pointer(place), "must be digits 0 to 9 only, without a line end")
        elif field.name in {"telefonnummer", "epost"} and value.endswith("\n"):
            yield Problem(pointer(place), "must not end in a line end")
        elif field.name == "sendingstidspunkt" and not _is_local_time(value):
            yield Problem(pointer(place), "must be a time in ISO 8601 without zone, such as 2026-10-15T13:05:40")
    if len(write_json(part.document())) > MAX_SUBMISSION_BYTES:
        yield Problem("", f"larger than the {MAX_SUBMISSION_BYTES} bytes the platform takes")


def _is_local_time(text: str) -> bool:
    try:
        return bool(_LOCAL_TIME.fullmatch(text)) and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def advice_on(part: Part) -> tuple[Advice, ...]:
    """What a person would want to look at again before sending, in the order of the document."""
    return tuple(Advice(pointer(place), code, _TEXTS[code]) for place, code in _advice(part, ()))


def _advice(part: Part, where: Place) -> Iterator[tuple[Place, str]]:
    for field in fields_of(type(part)):
        value, place = getattr(part, field.attribute), (*where, field.name)
        if isinstance(value, str):
            yield from ((place, code) for code in _text_codes(part, field, value))
        elif isinstance(value, Part):
            yield from _advice(value, place)
        elif field.kind is FieldKind.PARTS:
            if not value:
                yield place, "no-children"
            for index, item in enumerate(value):
                yield from _advice(item, (*place, index))
    if isinstance(part, OffentligBarn | Foresatt) and not part.orientert and not (part.orientert_grunn or "").strip():
        yield (*where, "orientertGrunn"), "not-told-without-reason"
    yield from (((*where, name), "unknown-member") for name in part.unknown_members)


def _text_codes(part: Part, field: Field, value: str) -> Iterator[str]:
    if _CONTROL.search(value):
        yield "control-character"
    text = value.strip()
    if field.name == "fnr":
        yield from _identity_codes(text, unborn=isinstance(part, OffentligBarn) and part.ufoedt)
    elif not text:
        if field.required:
            yield "empty"
    elif field.name in _ODD and _ODD[field.name](text):
        yield field.name


def _identity_codes(text: str, *, unborn: bool) -> Iterator[str]:
    if not text:
        if not unborn:
            yield "fnr-missing"
        return
    fault = identity_fault(text)
    if fault is not None:
        yield {
            IdentityFault.FORM: "fnr-form",
            IdentityFault.DATE: "fnr-date",
            IdentityFault.CHECK_DIGITS: "fnr-check-digits",
        }[fault]
    elif is_synthetic(text):
        yield "fnr-synthetic"
    if unborn:
        yield "unborn-with-fnr"


def _odd_telephone(text: str) -> bool:
    digits = re.sub(r"[ .()-]", "", text)
    return not (_LOCAL_TELEPHONE.fullmatch(digits) or _FOREIGN_TELEPHONE.fullmatch(digits))


_ODD: dict[str, Callable[[str], bool]] = {
    "orgnr": lambda text: not is_organisation_number(text.replace(" ", "")),
    "kommunenummer": lambda text: text not in MUNICIPALITY_NUMBERS,
    "telefonnummer": _odd_telephone,
    "postnummer": lambda text: not _POSTAL_CODE.fullmatch(text),
    "epost": lambda text: len(text) > 254 or not _EMAIL.fullmatch(text),
}


def _texts(part: Part, where: Place) -> Iterator[tuple[Place, Field, str]]:
    """Every text in a message, with where it is."""
    for field in fields_of(type(part)):
        value, place = getattr(part, field.attribute), (*where, field.name)
        if isinstance(value, str):
            yield place, field, value
        elif isinstance(value, Part):
            yield from _texts(value, place)
        elif field.kind is FieldKind.PARTS:
            for index, item in enumerate(value):
                yield from _texts(item, (*place, index))
