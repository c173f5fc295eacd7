"""What is counted of a report when its original is gone: where it was for, and by which channel it came."""

import re
from typing import Final

from fiksmelding.journal import Facts
from fiksmelding.messages import Bekymringsmelding

__all__ = ["facts_of"]

LONGEST_NAME: Final = 80
NO_NAME: Final = re.compile(r"[@<>]|\d[\d .-]{4,}\d|[\x00-\x1f\x7f]")
"""Addresses, telephone and identity numbers: what nobody's system is called."""


def facts_of(message: Bekymringsmelding) -> Facts:
    """The facts of a report. Its channel is text of the sender's: kept only if it can be a name."""
    channel = " ".join(message.leveringskanal.split(" ")).strip()
    named = 0 < len(channel) <= LONGEST_NAME and not NO_NAME.search(channel)
    return Facts(message.kommunenummer, message.bydelsnummer.strip(), channel if named else None)
