"""The parts that reports are made of, field by field as the official JSON Schemas have them."""

from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias

from pydantic import StrictBool, StringConstraints

from fiksmelding.messages.base import Line, NotNull, OptionalLine, OptionalText, Part, Text

__all__ = [
    "Adresse",
    "Foresatt",
    "OffentligBarn",
    "OffentligMelder",
    "OffentligMelding",
    "OffentligMeldingV1",
    "PrivatBarn",
    "PrivatMelder",
    "Virksomhet",
]

# They accept what the official patterns accept as the `jsonschema` library reads them (a final line end passes), but
# are for the engine of pydantic: it takes linear time, so a hostile text of some megabytes costs little.
TELEPHONE_PATTERN = r"^[+]?[0-9]+(?:[- ][0-9]+)*\n?$"
EMAIL_PATTERN = (
    r"^[A-Za-zæøåÆØÅ0-9_-]+(?:\.[A-Za-zæøåÆØÅ0-9_-]+)*"
    r"@[A-Za-zæøåÆØÅ0-9-]+(?:\.[A-Za-zæøåÆØÅ0-9-]+)*\.[A-Za-z]{2,}\n?$"
)
Telephone: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=TELEPHONE_PATTERN)]
OptionalTelephone: TypeAlias = Annotated[Telephone | None, NotNull()]
Email: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=EMAIL_PATTERN)]


class Adresse(Part):
    """A postal address."""

    adresselinje1: Text
    adresselinje2: OptionalText = None
    adresselinje3: OptionalText = None
    postnummer: OptionalText = None
    poststed: OptionalText = None


OptionalAdresse: TypeAlias = Annotated[Adresse | None, NotNull()]


class PrivatMelder(Part):
    """The private person who reports."""

    personnavn: Text
    telefonnummer: OptionalTelephone = None
    adresse: OptionalAdresse = None


class PrivatBarn(Part):
    """A child, as a private person knows it: no identity number, an age in free text."""

    personnavn: Text
    antatt_alder: OptionalText = None
    relasjon: OptionalText = None
    adresse: Adresse


class Virksomhet(Part):
    """Where the public employee works."""

    navn: Line
    orgnr: OptionalLine = None
    adresse: Adresse


class OffentligMelder(Part):
    """The public employee who reports."""

    personnavn: Line
    rolle: Line
    telefonnummer: Telephone
    epost: Email
    virksomhet: Virksomhet


class OffentligBarn(Part):
    """A child, as a public employee reports it.

    Attributes:
        fnr: Identity number; the schema requires the member but takes any text, the empty one too.
        ufoedt: Whether the child is not born yet.
        orientert: Whether the child has been told about the report.
        orientert_grunn: Why, or why not.
    """

    fnr: Text
    ufoedt: StrictBool
    personnavn: Line
    telefonnummer: OptionalText = None
    adresse: Adresse
    orientert: StrictBool
    orientert_grunn: OptionalLine = None


class Foresatt(Part):
    """A parent or guardian.

    Attributes:
        orientert: Whether they have been told about the report.
        orientert_grunn: Why, or why not.
    """

    personnavn: Line
    telefonnummer: OptionalLine = None
    orientert: StrictBool
    orientert_grunn: OptionalLine = None


class OffentligMelding(Part):
    """What a public employee writes, from version 2 on.

    Attributes:
        melding: What the concern is.
        historie: What has happened before.
        andre_synspunkter: Other views; absent in version 1.
    """

    melding: Text
    historie: Text
    andre_synspunkter: OptionalText = None


class OffentligMeldingV1(OffentligMelding):
    """What a public employee writes, in version 1: there `andreSynspunkter` is unknown, and may be anything."""

    if not TYPE_CHECKING:  # to a type checker it is the inherited `str | None`, so that both versions read alike
        andre_synspunkter: ClassVar[None] = None
