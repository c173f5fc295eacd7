"""What a handler gets, and what it answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fiksmelding.envelope import SignerInfo
from fiksmelding.errors import Problem
from fiksmelding.messages import Bekymringsmelding
from fiksmelding.receiver.opening import Opened

__all__ = ["Confirm", "Handler", "Registered", "Report"]


@dataclass(frozen=True, slots=True)
class Registered:
    """A handler's word that the case system has stored the report, durably.

    Attributes:
        reference: What the case system calls it: a case or journal number. Not personal data; it is logged.
    """

    reference: str


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Report:
    """A report on its way into the case system. Usable only while the handler or `confirm` runs.

    Attributes:
        id: The report's own id, and the idempotency key: the same on every call for the same report.
        melding_id: The platform's id of the sending it came in.
        melding_type: The message type that the sender gave.
        message: The report; None when no schema accepts its JSON (see `structured`).
        problems: Why it is not structured, without values from it.
        signer: Who signed it, with the verdict on that.
        received_at: When it was kept, aware UTC.
        deadline_at: When it is answered `feilet` if it is not registered by then, aware UTC.
        attempt: How many calls of the handler there have been for it, this one included.
        repeat: Whether the handler may have been called for it before, for example before a crash.
        headers: Every header that the broker gave, as text.
    """

    id: str
    melding_id: str
    melding_type: str
    message: Bekymringsmelding | None
    problems: tuple[Problem, ...]
    signer: SignerInfo
    received_at: datetime
    deadline_at: datetime
    attempt: int
    repeat: bool
    headers: Mapping[str, str]
    _opened: Opened

    def __repr__(self) -> str:
        return f"Report(id={self.id!r}, melding_type={self.melding_type!r}, attempt={self.attempt})"

    @property
    def structured(self) -> bool:
        """Whether `message` holds the report; if not, `json` and `pdf` do."""
        return self.message is not None

    async def json(self) -> bytes | None:
        """`bekymringsmelding.json` as the sender wrote it, byte for byte; None when there is none."""
        return self._opened.json

    async def pdf(self) -> bytes | None:
        """`bekymringsmelding.pdf` as the sender made it, or one made from `message` when there is none.

        None only for an unstructured report that came without.
        """
        return await asyncio.to_thread(self._opened.pdf, self.id)


Handler = Callable[[Report], Awaitable[Registered]]
"""Stores a report in the case system.

Returns `Registered` only when it is stored durably. Raises `Reject` to refuse it for good. Whatever else it raises, and
a call that takes too long, is tried again until the deadline.
"""

Confirm = Callable[[str, Report], Awaitable[bool]]
"""Reads back: given the reference, does the case system have the report? False makes the handler be called again."""
