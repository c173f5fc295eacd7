"""The states of a report, and which may follow which (contract section 10)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["FOLLOWERS", "Tilstand"]


class Tilstand(StrEnum):
    """A state, as the platform spells it.

    Attributes:
        AKSEPTERT: Stored by the platform. Always the first.
        SENDT_FAGSYSTEM: On the account's queue. Always the second.
        AVVIST_FAGSYSTEM: The case system refused it, gave no receipt in time, or could not be reached.
        SENDT_PRINT: At the print provider.
        AVVIST_PRINT: The print provider could not print it; KS follows up by hand.
        LEVERT: Delivered, to the case system or by letter. Always the last.
    """

    AKSEPTERT = "AKSEPTERT"
    SENDT_FAGSYSTEM = "SENDT_FAGSYSTEM"
    AVVIST_FAGSYSTEM = "AVVIST_FAGSYSTEM"
    SENDT_PRINT = "SENDT_PRINT"
    AVVIST_PRINT = "AVVIST_PRINT"
    LEVERT = "LEVERT"


FOLLOWERS: Mapping[Tilstand | None, frozenset[Tilstand]] = MappingProxyType(
    {
        None: frozenset({Tilstand.AKSEPTERT}),
        Tilstand.AKSEPTERT: frozenset({Tilstand.SENDT_FAGSYSTEM}),
        Tilstand.SENDT_FAGSYSTEM: frozenset({Tilstand.LEVERT, Tilstand.AVVIST_FAGSYSTEM}),
        Tilstand.AVVIST_FAGSYSTEM: frozenset({Tilstand.SENDT_PRINT}),
        Tilstand.SENDT_PRINT: frozenset({Tilstand.LEVERT, Tilstand.AVVIST_PRINT}),
        Tilstand.AVVIST_PRINT: frozenset(),
        Tilstand.LEVERT: frozenset(),
    }
)
"""What may come after each state; None is before the first."""
