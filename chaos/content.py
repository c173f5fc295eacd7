"""What makes a report the same report, whoever filled in what a sender fills in."""

import hashlib
import json

__all__ = ["content_of"]

FILLED_IN = frozenset({"kommunenavn", "bydelsnummer", "bydelsnavn", "sendingstidspunkt", "leveringskanal"})
"""Members that a sender sets, whatever stood there."""


def content_of(report: bytes) -> str:
    """SHA-256, hexadecimal, of what the reporter wrote.

    Args:
        report: `bekymringsmelding.json`.
    """
    document = {name: value for name, value in json.loads(report).items() if name not in FILLED_IN}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
