"""The message types of the protocol (contract section 9), and which of them are reports."""

from enum import StrEnum

__all__ = ["REPORT_TYPES", "MessageType"]


class MessageType(StrEnum):
    """A message type, exactly as it stands in the header `type`."""

    PRIVAT_V1 = "no.ks.fiks.bekymringsmelding.privat.v1"
    PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"
    OFFENTLIG_V1 = "no.ks.fiks.bekymringsmelding.offentlig.v1"
    OFFENTLIG_V2 = "no.ks.fiks.bekymringsmelding.offentlig.v2"
    MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"
    FEILET = "no.ks.fiks.bekymringsmelding.feilet.v1"
    TIDSAVBRUDD = "no.ks.fiks.kvittering.tidsavbrudd"
    SERVERFEIL = "no.ks.fiks.kvittering.serverfeil.v1"


REPORT_TYPES = frozenset(
    {MessageType.PRIVAT_V1, MessageType.PRIVAT_V2, MessageType.OFFENTLIG_V1, MessageType.OFFENTLIG_V2}
)
"""The four kinds of report: both kinds, in both versions."""
