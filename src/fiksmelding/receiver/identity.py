"""Ids from outside, before anything is named after them."""

import hashlib
from typing import Final
from uuid import UUID

LONGEST_ID: Final = 400
"""What is longer is no id, and no index takes it."""


def as_uuid(text: str | None) -> str | None:
    """`text` in the usual spelling of a UUID, or None when it is none."""
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None


def short(text: str | None) -> str | None:
    """`text`, or what stands for it where it is too long for an index. Equal ones stay equal, others different."""
    if text is None or len(text) <= LONGEST_ID:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
