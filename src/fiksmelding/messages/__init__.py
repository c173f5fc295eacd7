"""WHAT is sent: the models of a bekymringsmelding, their JSON, XML and PDF. Pure: no network, no database, no clock."""

from fiksmelding.messages.advice import Advice
from fiksmelding.messages.json_format import parse_json
from fiksmelding.messages.json_text import JsonValue
from fiksmelding.messages.parts import (
    Adresse,
    Foresatt,
    OffentligBarn,
    OffentligMelder,
    OffentligMelding,
    OffentligMeldingV1,
    PrivatBarn,
    PrivatMelder,
    Virksomhet,
)
from fiksmelding.messages.pdf import render_pdf
from fiksmelding.messages.pdf_texts import Language
from fiksmelding.messages.reports import (
    Bekymringsmelding,
    Feilmelding,
    OffentligBekymringsmelding,
    OffentligBekymringsmeldingV1,
    PrivatBekymringsmelding,
    PrivatBekymringsmeldingV1,
)
from fiksmelding.messages.types import REPORT_TYPES, MessageType
from fiksmelding.messages.versions import as_version_1
from fiksmelding.messages.xml_format import parse_xml

__all__ = [
    "REPORT_TYPES",
    "Adresse",
    "Advice",
    "Bekymringsmelding",
    "Feilmelding",
    "Foresatt",
    "JsonValue",
    "Language",
    "MessageType",
    "OffentligBarn",
    "OffentligBekymringsmelding",
    "OffentligBekymringsmeldingV1",
    "OffentligMelder",
    "OffentligMelding",
    "OffentligMeldingV1",
    "PrivatBarn",
    "PrivatBekymringsmelding",
    "PrivatBekymringsmeldingV1",
    "PrivatMelder",
    "Virksomhet",
    "as_version_1",
    "parse_json",
    "parse_xml",
    "render_pdf",
]
