"""Ids from outside, before anything is named after them."""

from uuid import UUID


def as_uuid(text: str | None) -> str | None:
    """`text` in the usual spelling of a UUID, or None when it is none."""
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None
