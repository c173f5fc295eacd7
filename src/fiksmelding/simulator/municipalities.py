"""Municipalities and their districts, and which account each district's reports go to (contract section 10)."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

__all__ = ["Bydel", "Kommune", "StottetVersjon"]


class StottetVersjon(StrEnum):
    """The newest version of the protocol that a district's receiver understands."""

    V1 = "V1"
    V2 = "V2"


@dataclass(frozen=True, slots=True)
class Bydel:
    """A district: one receiving office.

    Attributes:
        bydelsnummer: Two digits; "00" where a municipality has but one office.
        bydelsnavn: Its name.
        account_id: The account its reports go to.
        ressurs_id: Its own id, `bydel-ressurs-id`.
        stottet_versjon: The newest version its receiver understands.
        standard_mottaker: Whether it is the one to use when the right district is unknown.
    """

    bydelsnummer: str
    bydelsnavn: str
    account_id: UUID
    ressurs_id: UUID
    stottet_versjon: StottetVersjon = StottetVersjon.V2
    standard_mottaker: bool = False


@dataclass(frozen=True, slots=True)
class Kommune:
    """A municipality.

    Attributes:
        kommunenummer: Four digits.
        navn: Its name.
        bydeler: Its districts; empty when it has not joined the service.
    """

    kommunenummer: str
    navn: str
    bydeler: tuple[Bydel, ...] = ()

    def bydel(self, bydelsnummer: str) -> Bydel | None:
        """The district of that number."""
        return next((bydel for bydel in self.bydeler if bydel.bydelsnummer == bydelsnummer), None)

    @property
    def standard(self) -> Bydel | None:
        """The district to use when the right one is unknown."""
        return next((bydel for bydel in self.bydeler if bydel.standard_mottaker), None)
