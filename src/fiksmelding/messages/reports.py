"""The messages that have a body: both kinds of report in both versions, and the receipt `feilet`."""

import re
from typing import Annotated, ClassVar, TypeAlias

from annotated_types import Len
from pydantic import FailFast, StringConstraints

from fiksmelding.errors import Problem
from fiksmelding.messages.advice import Advice, advice_on, problems_of
from fiksmelding.messages.base import Line, OptionalText, Part, Text
from fiksmelding.messages.json_text import write_json
from fiksmelding.messages.parts import (
    Foresatt,
    OffentligBarn,
    OffentligMelder,
    OffentligMelding,
    OffentligMeldingV1,
    PrivatBarn,
    PrivatMelder,
)
from fiksmelding.messages.types import MessageType
from fiksmelding.messages.xml_writer import write_xml

__all__ = [
    "Bekymringsmelding",
    "Feilmelding",
    "Message",
    "OffentligBekymringsmelding",
    "OffentligBekymringsmeldingV1",
    "PrivatBekymringsmelding",
    "PrivatBekymringsmeldingV1",
]

# Compiled, so that Python's own engine decides what a digit is, as in the `jsonschema` library.
Kommunenummer: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=re.compile(r"^\d{4}$"))]
Bydelsnummer: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{2}\n?$")]


class Message(Part):
    """A message with a body.

    Attributes:
        message_type: What it says it is, in the header `type`.
        xml_namespace: The namespace of its XML.
        xml_root: The name of its root element there.
    """

    message_type: ClassVar[MessageType]
    xml_namespace: ClassVar[str]
    xml_root: ClassVar[str]

    def to_json(self) -> bytes:
        """The official JSON, in UTF-8: an equal value to the one it was read from."""
        return write_json(self.document())

    def to_xml(self) -> bytes:
        """The XML of our schema, in UTF-8; it reads back as an equal message."""
        return write_xml(self, namespace=self.xml_namespace, root=self.xml_root)

    def problems(self) -> tuple[Problem, ...]:
        """What the service would refuse though the official schema accepts it: for senders."""
        return problems_of(self)

    def advice(self) -> tuple[Advice, ...]:
        """What a person would want to look at again before sending. It never stands in the way of receiving."""
        return advice_on(self)


class PrivatBekymringsmelding(Message):
    """A report from a private person, version 2; version 1 is a subclass.

    Attributes:
        kommunenummer: Four digits.
        bydelsnummer: The receiving office, "00" where the municipality has one only.
        privat_barn: The children. The schema lets the list be empty.
        sendingstidspunkt: Norwegian local time, by custom `2020-03-17T00:31:56`; the schema takes any text.
        leveringskanal: The name of the organisation whose system sent it.
    """

    message_type: ClassVar[MessageType] = MessageType.PRIVAT_V2
    xml_namespace: ClassVar[str] = "urn:no:fiksmelding:bekymringsmelding:v2"
    xml_root: ClassVar[str] = "privatBekymringsmelding"

    kommunenummer: Kommunenummer
    kommunenavn: Text
    bydelsnummer: Bydelsnummer
    bydelsnavn: Text
    privat_melder: PrivatMelder
    privat_barn: Annotated[tuple[PrivatBarn, ...], FailFast()]
    melding: Text
    sendingstidspunkt: Text
    leveringskanal: Text


class PrivatBekymringsmeldingV1(PrivatBekymringsmelding):
    """A report from a private person, version 1: the same members."""

    message_type: ClassVar[MessageType] = MessageType.PRIVAT_V1
    xml_namespace: ClassVar[str] = "urn:no:fiksmelding:bekymringsmelding:v1"


class OffentligBekymringsmelding(Message):
    """A report from a public employee, version 2; version 1 is a subclass.

    Attributes:
        kommunenummer: Four digits.
        bydelsnummer: The receiving office, "00" where the municipality has one only.
        offentlig_barn: The children, at least one.
        foresatte: Parents or guardians, one or two.
        behov_for_tolk: Whether an interpreter is needed, in free text.
        andre_hjelpeinstanser: Other services involved, in free text.
        sendingstidspunkt: Norwegian local time, by custom `2020-03-17T00:31:56`; the schema takes any text.
        leveringskanal: The name of the organisation whose system sent it.
    """

    message_type: ClassVar[MessageType] = MessageType.OFFENTLIG_V2
    xml_namespace: ClassVar[str] = "urn:no:fiksmelding:bekymringsmelding:v2"
    xml_root: ClassVar[str] = "offentligBekymringsmelding"

    kommunenummer: Kommunenummer
    kommunenavn: Line
    bydelsnummer: Bydelsnummer
    bydelsnavn: Line
    offentlig_melder: OffentligMelder
    offentlig_barn: Annotated[tuple[OffentligBarn, ...], FailFast(), Len(1)]
    foresatte: Annotated[tuple[Foresatt, ...], FailFast(), Len(1, 2)]
    behov_for_tolk: OptionalText = None
    andre_hjelpeinstanser: OptionalText = None
    melding: OffentligMelding
    sendingstidspunkt: Text
    leveringskanal: Text


class OffentligBekymringsmeldingV1(OffentligBekymringsmelding):
    """A report from a public employee, version 1: without `andreSynspunkter`."""

    message_type: ClassVar[MessageType] = MessageType.OFFENTLIG_V1
    xml_namespace: ClassVar[str] = "urn:no:fiksmelding:bekymringsmelding:v1"

    melding: OffentligMeldingV1


class Feilmelding(Message):
    """The body of the receipt `feilet`: why a report could not be received.

    Attributes:
        melding: Why, in plain Norwegian; may be absent.
    """

    message_type: ClassVar[MessageType] = MessageType.FEILET
    xml_namespace: ClassVar[str] = "urn:no:fiksmelding:kvittering:v1"
    xml_root: ClassVar[str] = "feilet"

    melding: OptionalText = None


Bekymringsmelding: TypeAlias = PrivatBekymringsmelding | OffentligBekymringsmelding
"""A report of either kind, in either version."""
